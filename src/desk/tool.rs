//! What a tool is: one gate, then parse, act, show.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Caller, Code, NextCall, Problem, Refusal, Scopes, Shape,
    rehearsal::{Found, Rehearsal},
};
use crate::platform::{DatabaseFault, Later};

/// What a tool does to the world (MCP `ToolAnnotations`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hints {
    /// Whether and how it changes anything.
    pub effect: Effect,
    /// Whether calling it again with the same arguments changes nothing more.
    pub idempotent: bool,
    /// Whether it reaches other servers.
    pub open_world: bool,
}

/// Whether and how a tool changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Only reads.
    Reads,
    /// Adds or changes what can be taken back.
    Writes,
    /// May remove something, or do what cannot be taken back.
    Destroys,
}

impl Hints {
    /// A tool that only reads.
    pub const fn read() -> Self {
        Self { effect: Effect::Reads, idempotent: true, open_world: false }
    }

    /// A tool that writes what can be taken back.
    pub const fn write() -> Self {
        Self { effect: Effect::Writes, idempotent: false, open_world: false }
    }

    /// A tool that may do what cannot be taken back.
    pub const fn destructive() -> Self {
        Self { effect: Effect::Destroys, idempotent: false, open_world: false }
    }

    /// The same, and repeating a call changes nothing more.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// The same, and it reaches other servers.
    #[must_use]
    pub const fn open_world(mut self) -> Self {
        self.open_world = true;
        self
    }
}

#[cfg(not(target_arch = "wasm32"))]
/// A type whose JSON Schema can be made; only native builds make schemas.
pub trait Described: schemars::JsonSchema {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: schemars::JsonSchema> Described for T {}
#[cfg(target_arch = "wasm32")]
/// A type whose JSON Schema can be made; only native builds make schemas.
pub trait Described {}
#[cfg(target_arch = "wasm32")]
impl<T> Described for T {}

/// A tool that an assistant calls.
pub trait Tool: 'static {
    /// Snake case, at most 40 characters.
    const NAME: &'static str;
    /// A name for people.
    const TITLE: &'static str;
    /// When to use it, what to call before, what not to do.
    const DESCRIPTION: &'static str;
    /// The capabilities that every call needs.
    const NEEDS: Scopes;
    /// What it does to the world.
    const HINTS: Hints;
    /// Whether a call without a time only keeps drafts, which somebody sees before they go out.
    const KEEPS_DRAFTS: bool = false;
    /// The address of what a host may show of its results (MCP Apps).
    const VIEW: Option<&'static str> = None;
    /// The arguments, every field described.
    type Input: DeserializeOwned + Described;
    /// The structured result.
    type Output: Serialize + Described;

    /// Capabilities that these arguments need besides.
    fn needs_of(_input: &Self::Input) -> Scopes {
        Scopes::NONE
    }

    /// Carries out the call. The caller's batches already need what the tool needs.
    ///
    /// # Errors
    /// Why it was not carried out; nothing has changed then.
    fn call(caller: &Caller<'_>, input: Self::Input) -> impl Future<Output = Result<Self::Output, Refusal>>;
}

pub(super) type Call = for<'a> fn(&'a Caller<'a>, &'a Value) -> Later<'a, Result<String, Refusal>>;

/// A tool in the catalogue, its types erased.
#[derive(Clone, Copy)]
pub struct ToolEntry {
    /// See [`Tool::NAME`].
    pub name: &'static str,
    /// See [`Tool::TITLE`].
    pub title: &'static str,
    /// See [`Tool::DESCRIPTION`].
    pub description: &'static str,
    /// See [`Tool::NEEDS`].
    pub needs: Scopes,
    /// See [`Tool::HINTS`].
    pub hints: Hints,
    /// See [`Tool::KEEPS_DRAFTS`].
    pub keeps_drafts: bool,
    /// See [`Tool::VIEW`].
    pub view: Option<&'static str>,
    needs_of: fn(&Value) -> Scopes,
    pub(super) call: Call,
    /// The schema of the arguments.
    #[cfg(not(target_arch = "wasm32"))]
    pub input_schema: fn() -> schemars::Schema,
    /// The schema of the structured result.
    #[cfg(not(target_arch = "wasm32"))]
    pub output_schema: fn() -> schemars::Schema,
}

impl ToolEntry {
    /// The entry of `T`.
    pub const fn of<T: Tool>() -> Self {
        Self {
            name: T::NAME,
            title: T::TITLE,
            description: T::DESCRIPTION,
            needs: T::NEEDS,
            hints: T::HINTS,
            keeps_drafts: T::KEEPS_DRAFTS,
            view: T::VIEW,
            needs_of: needs_of::<T>,
            call: |caller, arguments| Box::pin(run::<T>(caller, arguments)),
            #[cfg(not(target_arch = "wasm32"))]
            input_schema: schema::<T::Input>,
            #[cfg(not(target_arch = "wasm32"))]
            output_schema: schema::<T::Output>,
        }
    }

    /// A tool that is only listed: whoever lists it carries out its calls.
    #[cfg(feature = "contract")]
    pub const fn listed(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            title: name,
            description,
            needs: Scopes::NONE,
            hints: Hints::read(),
            keeps_drafts: false,
            view: None,
            needs_of: |_| Scopes::NONE,
            call: |_, _| Box::pin(async { Err(Refusal::Conflict) }),
            #[cfg(not(target_arch = "wasm32"))]
            input_schema: || schemars::json_schema!({}),
            #[cfg(not(target_arch = "wasm32"))]
            output_schema: || schemars::json_schema!({}),
        }
    }

    /// The capabilities that a call with these arguments needs; the tool's own when they cannot be read.
    pub fn needs_of(&self, arguments: &Value) -> Scopes {
        (self.needs_of)(arguments)
    }

    /// The call with these arguments, less the problems of them that can be mended: if it would be carried out, and sends or
    /// destroys nothing that was dropped or guessed.
    pub async fn corrected(
        &self,
        caller: &Caller<'_>,
        arguments: &Value,
        problems: &[Problem],
    ) -> Option<NextCall> {
        let rehearsal = Rehearsal { caller, tool: self, shape: &|_| Vec::new() };
        let correction = rehearsal.corrected(arguments, problems).await?;
        Some(NextCall { tool: self.name.to_owned(), arguments: correction.arguments })
    }

    /// Calls the tool with arguments whose shape is right, and gives the result as JSON.
    ///
    /// # Errors
    /// Why it was not carried out, as [`call_in_shape`](Self::call_in_shape) tells it.
    pub async fn call(&self, caller: &Caller<'_>, arguments: Value) -> Result<String, Refusal> {
        self.call_in_shape(caller, &arguments, &|_| Vec::new()).await
    }

    /// Calls the tool with arguments that have the shape that `shape` demands, and gives the result as JSON.
    ///
    /// # Errors
    /// Why it was not carried out: everything that is wrong with the shape and the meaning of the arguments, a capability that
    /// is lacking for them among it, the first problem with the corrected call, where there is one. Where nothing but a
    /// capability is lacking, [`Refusal::InsufficientScope`].
    pub async fn call_in_shape(
        &self,
        caller: &Caller<'_>,
        arguments: &Value,
        shape: Shape<'_>,
    ) -> Result<String, Refusal> {
        let misshapen = shape(arguments);
        let found = if misshapen.is_empty() {
            match (self.call)(caller, arguments).await {
                Err(Refusal::Problems(problems)) => Found::InMeaning(problems),
                Err(Refusal::InsufficientScope(needs)) => Found::Lacking(needs),
                other => return other,
            }
        } else {
            Found::InShape(misshapen)
        };
        Err(Rehearsal { caller, tool: self, shape }.refusal(arguments, found).await)
    }
}

fn needs_of<T: Tool>(arguments: &Value) -> Scopes {
    let asked = T::Input::deserialize(arguments).map_or(Scopes::NONE, |input| T::needs_of(&input));
    T::NEEDS.union(asked)
}

async fn run<T: Tool>(caller: &Caller<'_>, arguments: &Value) -> Result<String, Refusal> {
    if T::HINTS.effect == Effect::Destroys && !caller.may_destroy() {
        let hint = "Ask the person to do it on the pages, or to connect an app by OAuth.";
        return Err(Problem::new(Code::NotByAddress, "", hint).into());
    }
    let input: T::Input = T::Input::deserialize(arguments).map_err(|fault| {
        Problem::new(Code::Malformed, "", "Compare the arguments with the tool's input schema.")
            .message(fault.to_string())
    })?;
    let caller = caller.needing(T::NEEDS.union(T::needs_of(&input)));
    let output = T::call(&caller, input).await?;
    serde_json::to_string(&output)
        .map_err(|_| Refusal::Fault(DatabaseFault::Rejected("a result could not be serialised".to_owned())))
}

/// A schema without `$ref`, as clients need it.
#[cfg(not(target_arch = "wasm32"))]
fn schema<T: schemars::JsonSchema>() -> schemars::Schema {
    let mut settings = schemars::generate::SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    settings.into_generator().into_root_schema_for::<T>()
}
