//! What there is to be asked for: every tool with its schemas, written out so that listing is putting strings together, and
//! every resource and prompt.

use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{
    kept::Kept,
    offers,
    revision::{Era, Revision},
    writer::ObjectWriter,
};
use crate::desk::{
    Effect, Hints, PromptEntry, ResourceEntry, Scopes, Selection, ToolEntry, Toolset, nearest,
};
use crate::{delivery, networks, posts, profiles, tenants};

/// The tools of every room, in the order in which they are listed, and the toolset that each room's belong to.
const ROOMS: &[(Toolset, &[ToolEntry])] = &[
    (Toolset::Account, tenants::TOOLS),
    (Toolset::Profiles, profiles::TOOLS),
    (Toolset::Profiles, networks::TOOLS),
    (Toolset::Posts, posts::TOOLS),
    (Toolset::Delivery, delivery::TOOLS),
];

/// What is in every toolset, since every conversation begins with it.
const IN_EVERY_SET: &str = tenants::FIRST_TOOL;

/// MCP Apps: tools name views of their results.
const VIEWS_EXTENSION: &str = "io.modelcontextprotocol/ui";

/// What `generate` made of the tools' types; a test keeps it fresh.
const SCHEMAS: &str = include_str!("catalogue.json");

/// What a caller may do, as far as it is known without asking the databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// What the grant allows.
    pub granted: Scopes,
    /// What the person's role and the tenant's settings could allow; tools that need more are not listed.
    pub possible: Scopes,
    /// What the grant and the request were narrowed to; other tools are not listed.
    pub selection: Selection,
}

impl From<Scopes> for Allowed {
    /// Only the grant is known.
    fn from(granted: Scopes) -> Self {
        Self { granted, possible: Scopes::EVERY, selection: Selection::EVERYTHING }
    }
}

impl Allowed {
    pub(super) const fn narrowed(mut self, to: Selection) -> Self {
        self.selection = self.selection.intersection(to);
        self
    }

    fn shows(&self, tool: &Tool) -> bool {
        self.possible.contains(tool.entry.needs) && self.selection.contains(tool.place)
    }
}

/// What an endpoint offers.
#[derive(Default)]
pub struct Catalogue {
    tools: Vec<Tool>,
    resources: &'static [&'static [ResourceEntry]],
    prompts: &'static [&'static [PromptEntry]],
    #[cfg(feature = "contract")]
    is_suites: bool,
    /// Answers that were written out already.
    pub(super) kept: Kept,
}

/// A tool, ready to be listed, checked and called.
pub(super) struct Tool {
    pub(super) entry: ToolEntry,
    /// What a selection must hold for it to be shown and called.
    pub(super) place: Selection,
    /// The schema of its arguments.
    pub(super) input: Value,
    /// Its listing but for the description: without annotations, with them, and with title and output schema too.
    listings: [ObjectWriter; 3],
}

#[derive(Deserialize)]
struct Schemas<'a> {
    #[serde(borrow)]
    input: &'a RawValue,
    /// Where its results have a structure.
    #[serde(borrow)]
    output: Option<&'a RawValue>,
}

/// The tools of every room.
pub fn tools() -> impl Iterator<Item = &'static ToolEntry> {
    ROOMS.iter().flat_map(|(_, tools)| *tools)
}

/// The toolset of a tool; nothing for what is in every one.
pub fn toolset(name: &str) -> Option<Toolset> {
    let holds = |tools: &[ToolEntry]| tools.iter().any(|tool| tool.name == name);
    let room = ROOMS.iter().find(|(_, tools)| holds(tools) && name != IN_EVERY_SET);
    room.map(|(set, _)| *set)
}

fn place(entry: &ToolEntry) -> Selection {
    let set = toolset(entry.name).map_or(Selection::NOTHING, Selection::of);
    if entry.hints.effect == Effect::Reads { set } else { set.union(Selection::WRITING) }
}

impl Catalogue {
    /// The deployment's catalogue.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: LazyLock<Catalogue> = LazyLock::new(|| {
            let tools = Catalogue::new(tools().copied(), SCHEMAS).unwrap_or_default();
            Catalogue { resources: offers::RESOURCES, prompts: offers::PROMPTS, ..tools }
        });
        &EMBEDDED
    }

    /// A catalogue of `tools`, and of nothing else, with `schemas`, the text that `generate` gives. A tool without schemas is left out.
    ///
    /// # Errors
    /// When `schemas` is not such a text.
    pub fn new(tools: impl IntoIterator<Item = ToolEntry>, schemas: &str) -> Result<Self, serde_json::Error> {
        let schemas: BTreeMap<&str, Schemas<'_>> = serde_json::from_str(schemas)?;
        let tools = tools
            .into_iter()
            .filter_map(|entry| schemas.get(entry.name).map(|schemas| Tool::new(entry, schemas)))
            .collect::<Result<_, _>>()?;
        Ok(Self { tools, ..Self::default() })
    }

    /// The same without what no tool asks about, so that callers who see the same list share it.
    pub(super) fn as_far_as_it_matters(&self, allowed: Allowed) -> Allowed {
        let needs = self.tools.iter().fold(Scopes::NONE, |needs, tool| needs.union(tool.entry.needs));
        let places = self.tools.iter().fold(Selection::NOTHING, |places, tool| places.union(tool.place));
        Allowed {
            granted: allowed.granted.intersection(needs),
            possible: allowed.possible.intersection(needs),
            selection: allowed.selection.intersection(places),
        }
    }

    /// The same with these resources and prompts.
    #[must_use]
    pub const fn with(
        mut self,
        resources: &'static [&'static [ResourceEntry]],
        prompts: &'static [&'static [PromptEntry]],
    ) -> Self {
        self.resources = resources;
        self.prompts = prompts;
        self
    }

    /// The same as the conformance suite's own.
    #[cfg(feature = "contract")]
    #[must_use]
    pub(super) const fn of_suite(mut self) -> Self {
        self.is_suites = true;
        self
    }

    /// Whether it is the conformance suite's own.
    #[cfg(feature = "contract")]
    pub(super) const fn is_suites(&self) -> bool {
        self.is_suites
    }

    /// Every resource and template.
    pub fn resources(&self) -> impl Iterator<Item = &'static ResourceEntry> {
        self.resources.iter().copied().flatten()
    }

    /// Every prompt.
    pub fn prompts(&self) -> impl Iterator<Item = &'static PromptEntry> {
        self.prompts.iter().copied().flatten()
    }

    /// Whether there is anything behind a method.
    pub(super) fn offers(&self, method: &str) -> bool {
        match method.split('/').next() {
            Some("resources") => !self.resources.is_empty(),
            Some("prompts" | "completion") => !self.prompts.is_empty(),
            _ => true,
        }
    }

    /// What it can be asked for, as `revision` says it (`ServerCapabilities`). Nothing tells of changes by itself.
    pub(super) fn capabilities(&self, revision: Revision) -> Value {
        let mut capabilities = serde_json::Map::new();
        let mut offer = |name: &str, is_offered: bool| {
            if is_offered {
                capabilities.insert(name.to_owned(), json!({}));
            }
        };
        offer("tools", true);
        offer("resources", !self.resources.is_empty());
        offer("prompts", !self.prompts.is_empty());
        offer("completions", !self.prompts.is_empty() && revision.knows_annotations());
        #[cfg(feature = "contract")]
        offer("logging", self.is_suites && revision.era() == Era::Legacy);
        if revision.era() == Era::Modern && self.tools.iter().any(|tool| tool.entry.view.is_some()) {
            capabilities.insert("extensions".to_owned(), json!({ (VIEWS_EXTENSION): {} }));
        }
        Value::Object(capabilities)
    }

    /// The tool of this name.
    pub(super) fn find(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.entry.name == name)
    }

    /// The name of a tool that `name` may have meant.
    pub(super) fn nearest(&self, name: &str) -> Option<&'static str> {
        nearest(name, self.tools.iter().map(|tool| tool.entry.name))
    }

    /// The array of the tools as `revision` lists them. Of a tool outside the grant the description says so.
    pub fn listing(&self, revision: Revision, allowed: Allowed) -> String {
        let listed: Vec<String> = self
            .tools
            .iter()
            .filter(|tool| allowed.shows(tool))
            .map(|tool| tool.listing(revision, allowed.granted))
            .collect();
        format!("[{}]", listed.join(","))
    }
}

impl Tool {
    fn new(entry: ToolEntry, schemas: &Schemas<'_>) -> Result<Self, serde_json::Error> {
        let input = serde_json::from_str(schemas.input.get())?;
        let plain =
            ObjectWriter::default().member("name", &entry.name).raw("inputSchema", schemas.input.get());
        let hints = annotations(entry.hints);
        let annotated =
            plain.clone().raw("annotations", &hints.clone().member("title", &entry.title).finish());
        let structured = plain.clone().raw("annotations", &hints.finish()).member("title", &entry.title);
        let structured = match schemas.output {
            Some(output) => structured.raw("outputSchema", output.get()),
            None => structured,
        };
        let structured = structured.optional("_meta", entry.view.map(shown_by).as_ref());
        Ok(Self { entry, place: place(&entry), input, listings: [plain, annotated, structured] })
    }

    fn listing(&self, revision: Revision, granted: Scopes) -> String {
        let [plain, annotated, structured] = &self.listings;
        let listing = match revision {
            _ if revision.knows_structure() => structured,
            _ if revision.knows_annotations() => annotated,
            _ => plain,
        };
        let missing = self.entry.needs.without(granted);
        let listing = listing.clone();
        listing.member("description", &described(self.entry.description, missing)).finish()
    }
}

/// Where a host finds what shows a tool's results (MCP Apps 2026-01-26, "Resource Discovery"); flat too, for older hosts.
fn shown_by(view: &str) -> Value {
    json!({ "ui": { "resourceUri": view }, "ui/resourceUri": view })
}

/// A description that says what the grant lacks for it.
pub(super) fn described(description: &str, missing: Scopes) -> Cow<'_, str> {
    if missing.is_empty() {
        return Cow::Borrowed(description);
    }
    format!("{description} Not granted: calling it asks the person for {}.", missing.to_text()).into()
}

/// MCP `ToolAnnotations`, without what follows from a tool's only reading.
fn annotations(hints: Hints) -> ObjectWriter {
    let reads = hints.effect == Effect::Reads;
    let hinted =
        ObjectWriter::default().member("readOnlyHint", &reads).member("openWorldHint", &hints.open_world);
    if reads {
        hinted
    } else {
        hinted
            .member("destructiveHint", &(hints.effect == Effect::Destroys))
            .member("idempotentHint", &hints.idempotent)
    }
}
