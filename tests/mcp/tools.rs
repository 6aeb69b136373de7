//! Tools for these tests: one that reads, one that writes, one that always refuses.

use postern::desk::{Act, Caller, Code, Hints, Problem, Refusal, Scope, Scopes, Tool, ToolEntry, next_call};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub const ALL: &[ToolEntry] =
    &[ToolEntry::of::<WhereAmI>(), ToolEntry::of::<TakeNote>(), ToolEntry::of::<NeverDo>()];

/// Reads.
struct WhereAmI;

/// Nothing to say.
#[derive(Deserialize, JsonSchema)]
struct Nothing {}

/// Where the caller is.
#[derive(Serialize, JsonSchema)]
struct Place {
    /// The organisation's name.
    organisation: String,
}

impl Tool for WhereAmI {
    const NAME: &'static str = "where_am_i";
    const TITLE: &'static str = "Where am I";
    const DESCRIPTION: &'static str = "Tells the \"organisation\".";
    const NEEDS: Scopes = Scopes::of(&[Scope::WorkspaceRead]);
    const HINTS: Hints = Hints::read();
    type Input = Nothing;
    type Output = Place;

    async fn call(caller: &Caller<'_>, _input: Nothing) -> Result<Place, Refusal> {
        Ok(Place { organisation: caller.facts().await?.tenant_name })
    }
}

/// Writes.
struct TakeNote;

/// A note.
#[derive(Deserialize, JsonSchema)]
struct Note {
    /// What it says.
    #[schemars(length(min = 1, max = 12))]
    text: String,
    /// How it feels.
    mood: Option<Mood>,
    /// How often to say it.
    #[schemars(range(min = 1, max = 9))]
    times: Option<u8>,
    /// Words to find it by.
    #[serde(default)]
    #[schemars(length(max = 2))]
    labels: Vec<String>,
    /// What follows it.
    #[serde(default)]
    thread: Vec<Part>,
    /// Whether the world sees it.
    public: Option<bool>,
    /// Whatever the network wants.
    #[serde(default)]
    settings: serde_json::Map<String, serde_json::Value>,
}

/// One more part.
#[derive(Deserialize, JsonSchema)]
struct Part {
    /// What it says.
    text: String,
    /// A link.
    link: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mood {
    /// Very well.
    Glad,
    /// Not so well.
    Gloomy,
}

/// What was noted.
#[derive(Serialize, JsonSchema)]
struct Noted {
    /// The note.
    text: String,
    /// How much of everything.
    counts: Counts,
}

/// Numbers.
#[derive(Serialize, JsonSchema)]
struct Counts {
    /// Parts.
    parts: usize,
    /// Labels.
    labels: usize,
    /// Settings.
    settings: usize,
    /// Repeats.
    times: u8,
    /// Whether it is a glad one.
    glad: bool,
    /// Parts with a link.
    links: usize,
    /// Their length.
    longest: usize,
}

impl Tool for TakeNote {
    const NAME: &'static str = "take_note";
    const TITLE: &'static str = "Take a note";
    const DESCRIPTION: &'static str = "Takes a note.";
    const NEEDS: Scopes = Scopes::of(&[Scope::PostsWrite]);
    const HINTS: Hints = Hints::write();
    type Input = Note;
    type Output = Noted;

    fn needs_of(note: &Note) -> Scopes {
        if note.public == Some(true) { Scopes::of(&[Scope::PostsPublish]) } else { Scopes::NONE }
    }

    async fn call(caller: &Caller<'_>, note: Note) -> Result<Noted, Refusal> {
        caller.write(Act { name: Self::NAME, subjects: &[] }, Vec::new()).await?;
        Ok(Noted {
            counts: Counts {
                parts: note.thread.len(),
                labels: note.labels.len(),
                settings: note.settings.len(),
                times: note.times.unwrap_or(1),
                glad: matches!(note.mood, Some(Mood::Glad)),
                links: note.thread.iter().filter(|part| part.link.is_some()).count(),
                longest: note.thread.iter().map(|part| part.text.len()).max().unwrap_or(0),
            },
            text: note.text,
        })
    }
}

/// Refuses.
struct NeverDo;

impl Tool for NeverDo {
    const NAME: &'static str = "never_do";
    const TITLE: &'static str = "Never do";
    const DESCRIPTION: &'static str = "Refuses.";
    const NEEDS: Scopes = Scopes::of(&[Scope::PostsWrite]);
    const HINTS: Hints = Hints::destructive();
    type Input = Nothing;
    type Output = Place;

    async fn call(_caller: &Caller<'_>, _input: Nothing) -> Result<Place, Refusal> {
        let next = next_call("take_note", serde_json::json!({ "text": "instead" }));
        Err(Problem::new(Code::PostNotFound, "post_id", "Take a note.").next(next).into())
    }
}
