//! From a body as an assistant wrote it to content: names to ids, addresses to media, a time to an instant. All that is
//! wrong is told at once.

use serde_json::json;

use super::{
    Content,
    content::{Override, Part},
    input::{OverrideInput, PostBody},
    view::{Rendering, Renderings, no_profiles},
};
use crate::{
    desk::{
        Caller, Code, Due, Fix, Problem, Problems, Refusal, TimeZoneName, When, WorkspaceFacts, resolve_when,
    },
    media::{self, Gathered, MediaInput, Wanted},
    networks::{Attachment, PartKind, Rendered, RenderedPart, Unit},
    profiles::{self, Profile},
};

/// A body to be resolved.
pub struct Wish<'b> {
    /// The workspace that it is for.
    pub workspace: &'b WorkspaceFacts,
    /// What it says.
    pub body: &'b PostBody,
    /// What the post said before; empty for a new one.
    pub base: Content,
    /// Where the body stands in the arguments, such as `posts[2].`.
    pub prefix: &'b str,
    /// Whether it would be a draft without its time.
    pub is_new: bool,
}

/// A body, resolved.
pub struct Resolved<'b> {
    /// The workspace that it is for.
    pub workspace: &'b WorkspaceFacts,
    /// Where it stands in the arguments.
    pub prefix: &'b str,
    /// What it says.
    pub content: Content,
    /// When it goes out, if it says so in a way that can be read.
    pub when: Option<When>,
    /// Whether it says when it goes out.
    pub goes_out: bool,
    /// Whether it names profiles, and none that there is.
    pub names_nobody: bool,
    /// Whether the arguments list all the overrides that there are.
    pub lists_overrides: bool,
}

/// The bodies of a call, resolved. The pictures that were fetched for them are in no library yet: end with
/// [`keep`](Self::keep) or [`discard`](Self::discard).
#[must_use]
pub struct Bodies<'b> {
    /// The bodies.
    pub each: Vec<Resolved<'b>>,
    gathered: Option<Gathered>,
}

impl<'b> Bodies<'b> {
    /// Goes on if there are no problems; else discards what was fetched.
    ///
    /// # Errors
    /// The problems.
    pub async fn if_fine(self, caller: &Caller<'_>, problems: Problems) -> Result<Self, Refusal> {
        match problems.refuse_if_any() {
            Ok(()) => Ok(self),
            Err(refusal) => {
                self.discard(caller).await;
                Err(refusal)
            }
        }
    }

    /// Adds what was fetched to the libraries and gives what each body says.
    ///
    /// # Errors
    /// When the gate is closed or the database fails.
    pub async fn keep(self, caller: &Caller<'_>) -> Result<Vec<Content>, Refusal> {
        let renamed = match self.gathered {
            Some(gathered) => gathered.keep(caller).await?,
            None => Vec::new(),
        };
        Ok(self.each.into_iter().map(|one| one.content.with_media_renamed(&renamed)).collect())
    }

    /// Forgets what was fetched, and gives the bodies.
    pub async fn discard(self, caller: &Caller<'_>) -> Vec<Resolved<'b>> {
        if let Some(gathered) = self.gathered {
            gathered.discard(caller).await;
        }
        self.each
    }
}

/// Resolves the bodies of a call. What is wrong with them goes to `problems`; nothing is kept yet.
///
/// # Errors
/// When the gate is closed or the database fails.
pub async fn resolve_bodies<'b>(
    caller: &Caller<'_>,
    profiles: &[Profile],
    wishes: Vec<Wish<'b>>,
    problems: &mut Problems,
) -> Result<Bodies<'b>, Refusal> {
    let places: Vec<Place> = wishes.iter().enumerate().flat_map(|(wish, one)| places_of(wish, one)).collect();
    let gathered = gather_media(caller, &places, problems).await?;
    let mut each = Vec::new();
    for (index, wish) in wishes.into_iter().enumerate() {
        let media = FoundMedia::of(index, &places, gathered.as_ref());
        each.push(resolve_body(caller, profiles, wish, &media, problems));
    }
    Ok(Bodies { each, gathered })
}

fn resolve_body<'b>(
    caller: &Caller<'_>,
    profiles: &[Profile],
    wish: Wish<'b>,
    media: &FoundMedia,
    problems: &mut Problems,
) -> Resolved<'b> {
    let Wish { workspace, body, base: mut content, prefix, is_new } = wish;
    if let Some(wanted) = &body.profiles {
        let field = format!("{prefix}profiles");
        let chosen = profiles::choose(profiles, &workspace.id, wanted, &field, problems);
        content.profiles = chosen.into_iter().map(|profile| profile.id.clone()).collect();
    }
    let when = body.when.as_ref().and_then(|text| {
        let zone = TimeZoneName::or_utc(&workspace.time_zone);
        let when = resolve_when(text, &zone, caller.now(), &format!("{prefix}when"));
        // No time is made up for what is published: without one it is a draft.
        problems.keep(when.map_err(|problem| match problem.fix {
            None if is_new => problem.fix(Fix::Remove),
            _ => problem,
        }))
    });
    set_plain_fields(&mut content, body, media);
    if let Some(overrides) = &body.overrides {
        content.overrides = resolve_overrides(workspace, profiles, overrides, media, prefix, problems);
    }
    Resolved {
        workspace,
        prefix,
        when,
        goes_out: body.when.is_some(),
        names_nobody: content.profiles.is_empty()
            && body.profiles.as_ref().is_some_and(|wanted| !wanted.is_empty()),
        lists_overrides: body.overrides.is_some() || content.overrides.is_empty(),
        content,
    }
}

fn set_plain_fields(content: &mut Content, body: &PostBody, media: &FoundMedia) {
    if let Some(text) = &body.text {
        text.clone_into(&mut content.text);
    }
    if body.media.is_some() {
        content.media = media.at("media");
    }
    if let Some(thread) = &body.thread {
        content.thread = thread
            .iter()
            .enumerate()
            .map(|(index, part)| Part {
                text: part.text.clone(),
                media: media.at(&format!("thread[{index}].media")),
            })
            .collect();
    }
    if let Some(comment) = &body.first_comment {
        content.first_comment = Some(comment.clone()).filter(|comment| !comment.is_empty());
    }
    if let Some(labels) = &body.labels {
        labels.clone_into(&mut content.labels);
    }
    if let Some(note) = &body.note {
        content.note = Some(note.clone()).filter(|note| !note.is_empty());
    }
}

fn resolve_overrides(
    workspace: &WorkspaceFacts,
    profiles: &[Profile],
    overrides: &[OverrideInput],
    media: &FoundMedia,
    prefix: &str,
    problems: &mut Problems,
) -> Vec<Override> {
    let mut resolved = Vec::new();
    for (index, own) in overrides.iter().enumerate() {
        let field = format!("{prefix}overrides[{index}].profiles");
        let chosen = profiles::choose(profiles, &workspace.id, &own.profiles, &field, problems);
        resolved.push(Override {
            profiles: chosen.into_iter().map(|profile| profile.id.clone()).collect(),
            text: own.text.clone(),
            media: own.media.as_ref().map(|_| media.at(&format!("overrides[{index}].media"))),
            thread: own.thread.as_ref().map(|thread| {
                thread.iter().map(|text| Part { text: text.clone(), media: Vec::new() }).collect()
            }),
            settings: own.settings.clone(),
        });
    }
    resolved
}

/// The media that a body names, by the list that names them.
struct FoundMedia(Vec<(String, Attachment)>);

impl FoundMedia {
    fn of(wish: usize, places: &[Place], gathered: Option<&Gathered>) -> Self {
        let of_it = places.iter().enumerate().filter(|(_, place)| place.wish == wish);
        let found =
            of_it.filter_map(|(index, place)| Some((place.list.clone(), gathered?.attachment(index)?)));
        Self(found.collect())
    }

    fn at(&self, list: &str) -> Vec<Attachment> {
        self.0.iter().filter(|(place, _)| place == list).map(|(_, attachment)| attachment.clone()).collect()
    }
}

/// Where a file is named.
struct Place {
    /// By which body.
    wish: usize,
    /// In which of its lists, such as `thread[0].media`.
    list: String,
    wanted: Wanted,
}

async fn gather_media(
    caller: &Caller<'_>,
    places: &[Place],
    problems: &mut Problems,
) -> Result<Option<Gathered>, Refusal> {
    if places.is_empty() {
        return Ok(None);
    }
    let wanted = places.iter().map(|place| place.wanted.clone()).collect();
    let (gathered, found) = media::gather(caller, wanted).await?;
    problems.extend(found);
    Ok(Some(gathered))
}

fn places_of(wish: usize, of: &Wish<'_>) -> Vec<Place> {
    let body = of.body;
    let mut lists: Vec<(String, &[MediaInput])> = Vec::new();
    if let Some(media) = &body.media {
        lists.push(("media".to_owned(), media));
    }
    for (index, part) in body.thread.iter().flatten().enumerate() {
        if let Some(media) = &part.media {
            lists.push((format!("thread[{index}].media"), media));
        }
    }
    for (index, own) in body.overrides.iter().flatten().enumerate() {
        if let Some(media) = &own.media {
            lists.push((format!("overrides[{index}].media"), media));
        }
    }
    let mut places = Vec::new();
    for (list, inputs) in lists {
        for (index, input) in inputs.iter().enumerate() {
            let wanted = Wanted {
                workspace: of.workspace.id.clone(),
                field: format!("{}{list}[{index}]", of.prefix),
                input: input.clone(),
            };
            places.push(Place { wish, list: list.clone(), wanted });
        }
    }
    places
}

/// The instant of a time that was asked for. `now` is at once; the hold comes on top.
///
/// # Errors
/// `no_free_slot`: this workspace has no posting times.
pub fn due_of(
    caller: &Caller<'_>,
    workspace: &WorkspaceFacts,
    when: When,
    field: &str,
) -> Result<Due, Problem> {
    let zone = TimeZoneName::or_utc(&workspace.time_zone);
    match when {
        When::At(due) => Ok(due),
        When::Now => Ok(Due::at(caller.now(), &zone)),
        When::NextSlot => Err(Problem::new(
            Code::NoFreeSlot,
            field,
            "Give a time such as 2026-12-01T09:00, or a duration such as PT2H.",
        )),
    }
}

/// Whether a time is so near that it needs the capability to publish.
pub fn is_near(caller: &Caller<'_>, workspace: &WorkspaceFacts, due: &Due) -> bool {
    due.at < caller.now().plus_seconds(workspace.notice_seconds)
}

/// What of a body cannot be sent, with what would mend what is too long.
pub fn unsendable(body: &Resolved<'_>, profiles: &[Profile]) -> Vec<Problem> {
    let Resolved { content, prefix, names_nobody, .. } = body;
    let mut problems = Vec::new();
    if content.profiles.is_empty() && !names_nobody {
        let problem = no_profiles();
        problems.push(match profiles {
            [only] => problem.fix(Fix::Set(json!([only.id]))),
            _ => problem,
        });
    }
    problems.extend(match (content.profiles.as_slice(), profiles) {
        ([], [_, _, ..]) => unsendable_anywhere(body, profiles),
        ([], _) => profiles.iter().flat_map(|only| unsendable_to(body, only)).collect(),
        _ => Renderings::of(content, profiles).each.iter().flat_map(|one| unfit(body, one)).collect(),
    });
    problems.into_iter().map(|problem| problem.within(prefix)).collect()
}

/// What cannot be sent to any profile, where it is not known for which of several it is.
fn unsendable_anywhere(body: &Resolved<'_>, profiles: &[Profile]) -> Vec<Problem> {
    let mut each = profiles.iter().map(|profile| unsendable_to(body, profile));
    let mut common = each.next().unwrap_or_default();
    for found in each {
        common.retain(|one| found.iter().any(|other| (&one.field, one.code) == (&other.field, other.code)));
    }
    common.into_iter().map(|problem| Problem { fix: None, ..problem }).collect()
}

fn unsendable_to(body: &Resolved<'_>, profile: &Profile) -> Vec<Problem> {
    let mut content = body.content.clone();
    content.profiles = vec![profile.id.clone()];
    let renderings = Renderings::of(&content, std::slice::from_ref(profile));
    renderings.each.iter().flat_map(|one| unfit(body, one)).collect()
}

/// What the network of a profile does not take.
fn unfit(body: &Resolved<'_>, rendering: &Rendering<'_>) -> Vec<Problem> {
    let Rendering { profile, rendered, .. } = rendering;
    let mender = Mender { body, profile, rendered };
    let told = |problem: &Problem| {
        let message = format!("{}: {}", profile.label(), problem.message);
        mender.mended(problem.clone()).message(message)
    };
    rendered.problems.iter().map(told).collect()
}

/// Shortens what is too long for one profile: a start for a better wording.
struct Mender<'m> {
    body: &'m Resolved<'m>,
    profile: &'m Profile,
    rendered: &'m Rendered,
}

impl Mender<'_> {
    fn mended(&self, problem: Problem) -> Problem {
        if problem.code != Code::ContentTooLong {
            return problem;
        }
        match self.shorter(&problem.field) {
            Some(shorter) => problem.fix(Fix::Elsewhere(vec![shorter])),
            None => problem,
        }
    }

    /// What is for this profile, or cannot differ for it, is shortened where it stands; else it gets an override.
    fn shorter(&self, field: &str) -> Option<(String, Fix)> {
        if field.starts_with("overrides[") || field == "first_comment" {
            let parts = self.body.content.draft_for(&self.profile.id).parts;
            let shown = parts.iter().zip(&self.rendered.parts);
            let shorter =
                shown.filter(|(part, _)| part.field == field).find_map(|(_, shown)| shortened(shown))?;
            return Some((field.to_owned(), Fix::Set(shorter.into())));
        }
        let own = self.own_override().filter(|_| self.body.lists_overrides)?;
        Some(("overrides".to_owned(), Fix::Append(own)))
    }

    /// The override for the profile, with what it had of its own; none where that has pictures, which are not in the arguments.
    fn own_override(&self) -> Option<serde_json::Value> {
        let own = self.body.content.own_of(&self.profile.id).map(|(_, own)| own);
        if own.is_some_and(|own| own.media.is_some()) {
            return None;
        }
        let shorter = |part: &RenderedPart| shortened(part).unwrap_or_else(|| part.text.clone());
        let (post, others) = self.rendered.parts.split_first()?;
        let thread: Vec<String> =
            others.iter().filter(|part| part.kind == PartKind::Reply).map(shorter).collect();
        let mut made = json!({ "profiles": [self.profile.account.handle], "text": shorter(post) });
        if let Some(fields) = made.as_object_mut() {
            if !thread.is_empty() {
                fields.insert("thread".to_owned(), json!(thread));
            }
            if let Some(settings) = own.and_then(|own| own.settings.clone()) {
                fields.insert("settings".to_owned(), settings);
            }
        }
        Some(made)
    }
}

/// The text of a part that is too long, shortened to what its network takes.
pub fn shortened(part: &RenderedPart) -> Option<String> {
    let too_long = part.length.count > part.length.limit;
    too_long.then(|| shorten(&part.text, part.length.limit, part.length.unit))
}

/// The beginning of `text` that has at most `limit` units: whole sentences, where they are at least half of that; else whole
/// words, and an ellipsis.
fn shorten(text: &str, limit: u32, unit: Unit) -> String {
    use unicode_segmentation::UnicodeSegmentation;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let first = |units: usize| match unit {
        Unit::Graphemes => text.grapheme_indices(true).nth(units).map(|(end, _)| end),
        Unit::Characters => text.char_indices().nth(units).map(|(end, _)| end),
    };
    let head = |units: usize| first(units).and_then(|end| text.get(..end)).unwrap_or(text);
    let rest_begins_a_word =
        |head: &str| text.get(head.len()..).is_some_and(|rest| rest.starts_with(char::is_whitespace));

    let sentences = head(limit);
    let end = sentences
        .char_indices()
        .filter(|(_, c)| matches!(c, '.' | '!' | '?' | '…' | '。'))
        .map(|(start, c)| start + c.len_utf8())
        .rfind(|end| sentences.get(..*end).is_some_and(rest_begins_a_word));
    if let Some(whole) =
        end.and_then(|end| sentences.get(..end)).filter(|whole| whole.len() * 2 >= sentences.len())
    {
        return whole.to_owned();
    }
    let words = head(limit.saturating_sub(1));
    let end = if rest_begins_a_word(words) { Some(words.len()) } else { words.rfind(char::is_whitespace) };
    let whole = end.and_then(|end| words.get(..end)).map(str::trim_end).filter(|whole| !whole.is_empty());
    format!("{}…", whole.unwrap_or(words).trim_end_matches([',', ';', ':', '-', '–']))
}
