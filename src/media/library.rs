//! From what an argument names to files of the library.

use super::{
    Media, MediaInput,
    fetch::{Arrival, FetchRefusal, discard, fetch},
    model::Source,
    store,
};
use crate::{
    desk::{Act, Caller, Code, MediaId, Problem, Problems, Refusal, WorkspaceId},
    networks::Attachment,
    platform::{DatabaseFault, Statement},
};

/// Most addresses fetched for one call.
const MAX_FETCHES: usize = 20;

/// A statement whose rows are the [`Media`] of `ids` that this caller may see, in no order.
pub fn attachments(caller: &Caller<'_>, ids: &[MediaId]) -> Statement {
    let (tenant, grant) = caller.sight();
    store::MEDIA_BY_IDS.with([tenant, grant, serde_json::json!(ids).to_string().into()])
}

/// The attachments that `inputs` name, in their order. Each input comes with its argument's path, such as `media[0]`.
///
/// A `media_id` must be of this workspace. A `url` is fetched, once per call, examined and added to the library of the
/// workspace, which keeps one copy of the same bytes. Call it last: it stores what it fetched even if the rest of the
/// call is refused later.
///
/// # Errors
/// The outer error when the gate is closed or the database fails; the inner one lists every problem: `missing`,
/// `conflicting`, `out_of_range`, `media_not_found`, `media_not_fetched`, `media_not_accepted`, `too_many`. Nothing is
/// stored then. An id's answer is the same whether it is another tenant's, another workspace's or nobody's.
pub async fn resolve(
    caller: &Caller<'_>,
    workspace: &WorkspaceId,
    inputs: &[(String, MediaInput)],
) -> Result<Result<Vec<Attachment>, Vec<Problem>>, Refusal> {
    let mut problems = Problems::default();
    let sources: Vec<Option<Source>> =
        inputs.iter().map(|(field, input)| problems.keep(input.source(field))).collect();
    let stored = stored(caller, workspace, &sources).await?;
    let downloads = Downloads::of(caller, &sources).await;
    for ((field, _), source) in inputs.iter().zip(&sources) {
        let found = match source {
            None => continue,
            Some(Source::Stored(id)) => known(&stored, id.as_ref(), field).map(drop),
            Some(Source::Web(url)) => downloads.of_url(url, field).map(drop),
        };
        problems.keep(found);
    }
    if !problems.is_empty() {
        downloads.discard(caller).await;
        return Ok(Err(problems.into_vec()));
    }
    let added = add(caller, workspace, inputs, &downloads).await?;
    let attachment = |((_, input), source): (&(String, MediaInput), &Option<Source>)| {
        let media = match source.as_ref()? {
            Source::Stored(id) => stored.iter().find(|media| Some(&media.id) == id.as_ref()),
            Source::Web(url) => {
                let hash = downloads.hash(url)?;
                added.iter().find(|media| media.hash == hash)
            }
        };
        media.map(|media| media.attachment(input.alt.as_deref()))
    };
    let attachments: Option<Vec<Attachment>> = inputs.iter().zip(&sources).map(attachment).collect();
    attachments.map(Ok).ok_or(Refusal::Conflict)
}

/// The stored files that the sources name, of this workspace. The gate is asked even if there are none.
async fn stored(
    caller: &Caller<'_>,
    workspace: &WorkspaceId,
    sources: &[Option<Source>],
) -> Result<Vec<Media>, Refusal> {
    let ids: Vec<MediaId> = sources
        .iter()
        .filter_map(|source| match source {
            Some(Source::Stored(id)) => id.clone(),
            _ => None,
        })
        .collect();
    let mut answer = caller.read(vec![attachments(caller, &ids)]).await?;
    answer.facts.workspace(Some(workspace.as_str()))?;
    let mut media: Vec<Media> = answer.next_as()?;
    media.retain(|media| media.workspace_id == *workspace);
    Ok(media)
}

fn known<'m>(stored: &'m [Media], id: Option<&MediaId>, field: &str) -> Result<&'m Media, Problem> {
    stored.iter().find(|media| Some(&media.id) == id).ok_or_else(|| {
        Problem::new(
            Code::MediaNotFound,
            format!("{field}.media_id"),
            "Use a media_id that a result for this workspace gave, or give the file's url instead of the id.",
        )
    })
}

/// What was fetched for one call: each address once.
struct Downloads(Vec<(String, Result<Arrival, Missed>)>);

/// Why there is no file of an address.
#[derive(Clone, Copy)]
enum Missed {
    Refused(FetchRefusal),
    TooMany,
}

impl Downloads {
    async fn of(caller: &Caller<'_>, sources: &[Option<Source>]) -> Self {
        let mut downloads: Vec<(String, Result<Arrival, Missed>)> = Vec::new();
        for source in sources {
            let Some(Source::Web(url)) = source else { continue };
            if downloads.iter().any(|(fetched, _)| fetched == url) {
                continue;
            }
            let outcome = if downloads.len() < MAX_FETCHES {
                fetch(caller.platform(), &caller.tenant().id, url).await.map_err(Missed::Refused)
            } else {
                Err(Missed::TooMany)
            };
            downloads.push((url.clone(), outcome));
        }
        Self(downloads)
    }

    fn of_url(&self, url: &str, field: &str) -> Result<&Arrival, Problem> {
        match self.0.iter().find(|(fetched, _)| fetched == url) {
            Some((_, Ok(arrival))) => Ok(arrival),
            Some((_, Err(Missed::Refused(refusal)))) => Err(refusal.problem(field)),
            Some((_, Err(Missed::TooMany))) | None => Err(Problem::new(
                Code::TooMany,
                format!("{field}.url"),
                format!("Give at most {MAX_FETCHES} addresses in one call."),
            )),
        }
    }

    fn hash(&self, url: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(fetched, _)| fetched == url)
            .and_then(|(_, outcome)| outcome.as_ref().ok().map(|arrival| arrival.examined.hash.as_str()))
    }

    fn arrivals(&self) -> impl Iterator<Item = (&str, &Arrival)> {
        self.0
            .iter()
            .filter_map(|(url, outcome)| outcome.as_ref().ok().map(|arrival| (url.as_str(), arrival)))
    }

    async fn discard(&self, caller: &Caller<'_>) {
        for (_, arrival) in self.arrivals() {
            discard(caller.platform(), &caller.tenant().id, &arrival.id).await;
        }
    }

    /// Discards what the library has in another file.
    async fn discard_copies(&self, caller: &Caller<'_>, kept: &[Media]) {
        for (_, arrival) in self.arrivals() {
            if !kept.iter().any(|media| media.id == arrival.id) {
                discard(caller.platform(), &caller.tenant().id, &arrival.id).await;
            }
        }
    }
}

/// Adds what arrived to the workspace's library and gives it back as it is there.
async fn add(
    caller: &Caller<'_>,
    workspace: &WorkspaceId,
    inputs: &[(String, MediaInput)],
    downloads: &Downloads,
) -> Result<Vec<Media>, Refusal> {
    if downloads.0.is_empty() {
        return Ok(Vec::new());
    }
    let outcome = added(caller, workspace, inputs, downloads).await;
    match &outcome {
        Ok(kept) => downloads.discard_copies(caller, kept).await,
        // The rows may be there, so their files must stay.
        Err(Refusal::Fault(DatabaseFault::Unknown(_))) => {}
        Err(_) => downloads.discard(caller).await,
    }
    outcome
}

async fn added(
    caller: &Caller<'_>,
    workspace: &WorkspaceId,
    inputs: &[(String, MediaInput)],
    downloads: &Downloads,
) -> Result<Vec<Media>, Refusal> {
    let hashes: Vec<&str> = downloads.arrivals().map(|(_, arrival)| arrival.examined.hash.as_str()).collect();
    let by_hashes = store::MEDIA_BY_HASHES.with([
        (&caller.tenant().id).into(),
        workspace.into(),
        serde_json::json!(hashes).to_string().into(),
    ]);
    let present: Vec<Media> = caller.read(vec![by_hashes.clone()]).await?.next_as()?;
    let new: Vec<(&str, &Arrival)> = downloads
        .arrivals()
        .filter(|(_, arrival)| !present.iter().any(|media| media.hash == arrival.examined.hash))
        .collect();
    if new.is_empty() {
        return Ok(present);
    }
    let subjects: Vec<&str> = new.iter().map(|(_, arrival)| arrival.id.as_str()).collect();
    let mut statements: Vec<Statement> =
        new.iter().map(|(url, arrival)| addition(caller, workspace, arrival, alt_of(inputs, url))).collect();
    let count = statements.len();
    statements.push(by_hashes);
    let mut answer = caller.write(Act { name: "add_media", subjects: &subjects }, statements).await?;
    (0..count).for_each(|_| drop(answer.next_rows()));
    answer.next_as()
}

/// The first description that the call gives for an address.
fn alt_of<'i>(inputs: &'i [(String, MediaInput)], url: &str) -> &'i str {
    inputs
        .iter()
        .filter(|(_, input)| input.url.as_deref().map(str::trim) == Some(url))
        .find_map(|(_, input)| input.alt.as_deref())
        .unwrap_or_default()
}

fn addition(caller: &Caller<'_>, workspace: &WorkspaceId, arrival: &Arrival, alt: &str) -> Statement {
    let (tenant, grant) = caller.sight();
    let Arrival { id, examined } = arrival;
    store::MEDIA_ADD.with([
        tenant,
        grant,
        workspace.into(),
        id.into(),
        examined.hash.as_str().into(),
        examined.picture.format.content_type().into(),
        i64::try_from(examined.size).unwrap_or(i64::MAX).into(),
        i64::from(examined.picture.width).into(),
        i64::from(examined.picture.height).into(),
        alt.into(),
        caller.now().into(),
    ])
}
