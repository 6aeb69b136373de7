//! From a body as an assistant wrote it to content: names to ids, addresses to media, a time to an instant. All that is
//! wrong is told at once.

use serde_json::{Value, json};

use super::{
    Content,
    content::{Override, Part},
    input::{OverrideInput, PostBody},
    view::{Rendering, Renderings, no_profiles},
};
use crate::{
    desk::{
        Caller, Code, Due, Fix, Problem, Problems, ProfileId, Refusal, TimeZoneName, When, WorkspaceFacts,
        resolve_when,
    },
    media::{self, Gathered, MediaInput, Wanted},
    networks::{Attachment, Count, PartKind, Rendered, RenderedPart},
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
    let mut knows_profiles = true;
    if let Some(wanted) = &body.profiles {
        let field = format!("{prefix}profiles");
        let before = problems.as_slice().len();
        let chosen = profiles::choose(profiles, &workspace.id, wanted, &field, problems);
        content.profiles = chosen.into_iter().map(|profile| profile.id.clone()).collect();
        knows_profiles = problems.as_slice().len() == before && !content.profiles.is_empty();
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
        content.overrides =
            resolve_overrides(workspace, profiles, (&content.profiles, overrides), media, prefix, problems);
        let check = Overrides { given: overrides, content: &content, profiles, is_new };
        problems.extend(check.twice().map(|problem| problem.within(prefix)));
        if knows_profiles && !content.profiles.is_empty() {
            problems.extend(check.idle().map(|problem| problem.within(prefix)));
        }
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
    (meant, overrides): (&[ProfileId], &[OverrideInput]),
    media: &FoundMedia,
    prefix: &str,
    problems: &mut Problems,
) -> Vec<Override> {
    let mut resolved = Vec::new();
    for (index, own) in overrides.iter().enumerate() {
        let field = format!("{prefix}overrides[{index}].profiles");
        let mut chosen = profiles::choose(profiles, &workspace.id, &own.profiles, &field, problems);
        if own.profiles.iter().any(|name| name.trim().eq_ignore_ascii_case("all")) && !meant.is_empty() {
            chosen.retain(|profile| meant.contains(&profile.id));
        }
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

/// The overrides of a body, to see whether each counts.
struct Overrides<'o> {
    given: &'o [OverrideInput],
    content: &'o Content,
    profiles: &'o [Profile],
    is_new: bool,
}

impl<'o> Overrides<'o> {
    /// Those for a profile that the post does not go to. The corrected call of a new post leaves them out, and its time, so that
    /// somebody sees who gets nothing.
    fn idle(&self) -> impl Iterator<Item = Problem> {
        let is_idle = |id: &&ProfileId| !self.content.profiles.contains(id);
        self.content.overrides.iter().enumerate().filter_map(move |(index, own)| {
            let idle: Vec<&ProfileId> = own.profiles.iter().filter(is_idle).collect();
            let first = idle.first()?;
            let rest: Vec<&ProfileId> = own.profiles.iter().filter(|id| !is_idle(id)).collect();
            let field = format!("overrides[{index}].profiles");
            let without = match rest.as_slice() {
                [] => (format!("overrides[{index}]"), Fix::Remove),
                rest => (field.clone(), Fix::Set(json!(rest))),
            };
            let time = self.is_new.then(|| ("when".to_owned(), Fix::Remove));
            let (label, handle) = self.called(first);
            let hint = format!("Add \"{handle}\" to profiles, or leave it out of overrides[{index}].");
            let problem = Problem::new(Code::Conflicting, field, hint)
                .message(format!("{label} is not among the post's profiles, so this changes nothing there."));
            Some(problem.fix(Fix::Elsewhere(std::iter::once(without).chain(time).collect())))
        })
    }

    /// Those for a profile that has one before. Where they differ in different fields, the corrected call has one of both.
    fn twice(&self) -> impl Iterator<Item = Problem> {
        let of = &self.content.overrides;
        of.iter().enumerate().filter_map(move |(index, own)| {
            let has_it = |id: &ProfileId| of.iter().take(index).position(|other| other.profiles.contains(id));
            let (id, first) = own.profiles.iter().find_map(|id| Some((id, has_it(id)?)))?;
            let (label, handle) = self.called(id);
            let hint = format!("Give \"{handle}\" all that differs for it in overrides[{first}].");
            let problem = Problem::new(Code::Conflicting, format!("overrides[{index}].profiles"), hint)
                .message(format!("{label} has an override already, overrides[{first}]."));
            let both = [(of.get(first)?, self.given.get(first)?), (own, self.given.get(index)?)];
            Some(match united(both).filter(|_| of.len() == 2) {
                Some(one) => problem.fix(Fix::Elsewhere(vec![
                    (format!("overrides[{first}]"), Fix::Set(one)),
                    (format!("overrides[{index}]"), Fix::Remove),
                ])),
                None => problem,
            })
        })
    }

    fn called(&self, id: &ProfileId) -> (String, &'o str) {
        let profile = self.profiles.iter().find(|profile| profile.id == *id);
        profile.map_or_else(Default::default, |one| (one.label(), one.account.handle.as_str()))
    }
}

/// Two overrides as one, if they are for the same profiles and no field is in both.
fn united([(one, first), (other, second)]: [(&Override, &OverrideInput); 2]) -> Option<Value> {
    let (mut united, more) = (serde_json::to_value(first).ok()?, serde_json::to_value(second).ok()?);
    let fields = united.as_object_mut().filter(|_| one.profiles == other.profiles)?;
    for (name, value) in more.as_object()?.iter().filter(|(name, _)| *name != "profiles") {
        if fields.insert(name.clone(), value.clone()).is_some() {
            return None;
        }
    }
    Some(united)
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

/// What of a body cannot be sent, with what would mend what is too long. `is_draft`: whether without its time it is a draft. Only
/// then a text is shortened, and the time left out: what nobody wrote never goes out before somebody can see it.
pub fn unsendable(body: &Resolved<'_>, profiles: &[Profile], is_draft: bool) -> Vec<Problem> {
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
        ([], [_, _, ..]) => unsendable_anywhere(body, profiles, is_draft),
        ([], _) => profiles.iter().flat_map(|only| unsendable_to(body, only, is_draft)).collect(),
        _ => {
            Renderings::of(content, profiles).each.iter().flat_map(|one| unfit(body, one, is_draft)).collect()
        }
    });
    problems.into_iter().map(|problem| problem.within(prefix)).collect()
}

/// What cannot be sent to any profile, where it is not known for which of several it is.
fn unsendable_anywhere(body: &Resolved<'_>, profiles: &[Profile], is_draft: bool) -> Vec<Problem> {
    let mut each = profiles.iter().map(|profile| unsendable_to(body, profile, is_draft));
    let mut common = each.next().unwrap_or_default();
    for found in each {
        common.retain(|one| found.iter().any(|other| (&one.field, one.code) == (&other.field, other.code)));
    }
    common.into_iter().map(|problem| Problem { fix: None, ..problem }).collect()
}

fn unsendable_to(body: &Resolved<'_>, profile: &Profile, is_draft: bool) -> Vec<Problem> {
    let mut content = body.content.clone();
    content.profiles = vec![profile.id.clone()];
    let renderings = Renderings::of(&content, std::slice::from_ref(profile));
    renderings.each.iter().flat_map(|one| unfit(body, one, is_draft)).collect()
}

/// What the network of a profile does not take.
fn unfit(body: &Resolved<'_>, rendering: &Rendering<'_>, is_draft: bool) -> Vec<Problem> {
    let Rendering { profile, rendered, .. } = rendering;
    let mender = Mender { body, profile, rendered };
    let told = |problem: &Problem| {
        let message = format!("{}: {}", profile.label(), problem.message);
        let problem = problem.clone().message(message);
        if is_draft && body.goes_out { mender.mended(problem) } else { problem }
    };
    rendered.problems.iter().map(told).collect()
}

/// Shortens what is too long for one profile: a start for a better wording, in a draft.
struct Mender<'m> {
    body: &'m Resolved<'m>,
    profile: &'m Profile,
    rendered: &'m Rendered,
}

impl Mender<'_> {
    fn mended(&self, mut problem: Problem) -> Problem {
        if problem.code != Code::ContentTooLong || !self.rendered.parts.iter().any(is_too_long) {
            return problem;
        }
        let Some(mut fixes) = self.shorter(&problem.field) else { return problem };
        fixes.push(("when".to_owned(), Fix::Remove));
        problem.hint.push_str(" A corrected call keeps a shortened text as a draft, for somebody to read.");
        problem.fix(Fix::Elsewhere(fixes))
    }

    /// What is for this profile, or cannot differ for it, is shortened where it stands; else it gets an override.
    fn shorter(&self, field: &str) -> Option<Vec<(String, Fix)>> {
        if field.starts_with("overrides[") || field == "first_comment" {
            let parts = self.body.content.draft_for(&self.profile.id).parts;
            let shown = parts.iter().zip(&self.rendered.parts);
            let shorter =
                shown.filter(|(part, _)| part.field == field).find_map(|(_, shown)| shortened(shown))?;
            return Some(vec![(field.to_owned(), Fix::Set(shorter.into()))]);
        }
        let texts = self.texts().filter(|_| self.body.lists_overrides)?;
        match self.body.content.own_of(&self.profile.id) {
            None => {
                let made = std::iter::once(("profiles".to_owned(), json!([self.profile.account.handle])));
                Some(vec![("overrides".to_owned(), Fix::Append(made.chain(texts).collect()))])
            }
            Some((index, own)) if own.profiles.len() == 1 => {
                let set = |(name, value)| (format!("overrides[{index}].{name}"), Fix::Set(value));
                Some(texts.into_iter().map(set).collect())
            }
            Some(_) => None,
        }
    }

    /// The texts of an override for the profile, whole or shortened; none if one of them cannot be.
    fn texts(&self) -> Option<Vec<(String, Value)>> {
        let fitting =
            |part: &RenderedPart| if is_too_long(part) { shortened(part) } else { Some(part.text.clone()) };
        let (post, others) = self.rendered.parts.split_first()?;
        let mut texts = vec![("text".to_owned(), fitting(post)?.into())];
        let replies = others.iter().filter(|part| part.kind == PartKind::Reply);
        let thread = replies.map(fitting).collect::<Option<Vec<_>>>()?;
        if !thread.is_empty() {
            texts.push(("thread".to_owned(), thread.into()));
        }
        Some(texts)
    }
}

const fn is_too_long(part: &RenderedPart) -> bool {
    part.length.count > part.length.limit
}

/// The text of a part that is too long, shortened to what its network takes; nothing where no cut leaves half of that.
pub fn shortened(part: &RenderedPart) -> Option<String> {
    if is_too_long(part) { shorten(&part.text, part.length) } else { None }
}

/// The beginning of `text` that has at most as many units as its network takes, and at least half of them: whole sentences; else
/// whole words, and an ellipsis.
fn shorten(text: &str, Count { limit, unit, .. }: Count) -> Option<String> {
    let limit = usize::try_from(limit).ok()?;
    let half = unit.head(text, limit.div_ceil(2)).len();
    let cut = |units: usize, is_end: fn(&str, &str) -> bool| {
        let head = unit.head(text, units);
        let mut ends = head.char_indices().rev().map(|(start, c)| start + c.len_utf8());
        let end =
            ends.find(|end| text.split_at_checked(*end).is_some_and(|(head, rest)| is_end(head, rest)))?;
        head.get(..end).map(|kept| kept.trim_end_matches(ends_no_line)).filter(|kept| kept.len() >= half)
    };
    let sentences = cut(limit, ends_sentence).map(str::to_owned);
    sentences.or_else(|| cut(limit.checked_sub(1)?, ends_word).map(|words| format!("{words}…")))
}

/// What does not stand at the end of a shortened text.
fn ends_no_line(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | ':' | '-' | '–' | '、' | '，')
}

/// Whether a sentence ends between `head` and `rest`. A stop of full width needs no space after it. Of the others, a full stop
/// after one or two letters is an abbreviation's, and what goes on with a small letter is the same sentence.
fn ends_sentence(head: &str, rest: &str) -> bool {
    let is_wide = |c: char| matches!(c, '。' | '！' | '？' | '．' | '｡');
    let closes = |c: char| matches!(c, '"' | '\'' | '”' | '’' | '»' | ')' | ']' | '」' | '』' | '）' | '】');
    let stopped = head.trim_end_matches(closes);
    match stopped.chars().next_back() {
        Some(stop) if is_wide(stop) => !rest.starts_with(closes) && !rest.starts_with(is_wide),
        Some(stop @ ('.' | '!' | '?' | '…' | '؟' | '۔' | '।')) => {
            let word = stopped.trim_end_matches(stop).chars().rev().take_while(|c| c.is_alphanumeric());
            rest.starts_with(char::is_whitespace)
                && !rest.trim_start().starts_with(char::is_lowercase)
                && (stop != '.' || word.count() > 2)
        }
        _ => false,
    }
}

/// Whether a word ends between `head` and `rest`: before white space, and around what is written without any.
fn ends_word(head: &str, rest: &str) -> bool {
    let is_own = |c: char| matches!(c, '\u{3001}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{3400}'..='\u{9fff}' | '\u{ff01}'..='\u{ff0f}' | '\u{20000}'..='\u{3ffff}');
    rest.starts_with(char::is_whitespace) || (head.ends_with(is_own) && rest.starts_with(is_own))
}
