//! From what arguments name to files of the library.

use super::{
    Media, MediaInput,
    fetch::{Arrival, FetchRefusal, check_address, discard, fetch},
    model::Source,
    store,
};
use crate::{
    desk::{Act, Caller, Code, Fix, MediaId, Problem, Problems, Refusal, WorkspaceId, sort_by},
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

/// A file that a call names.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The workspace that it is for.
    pub workspace: WorkspaceId,
    /// The argument's path, such as `media[0]`.
    pub field: String,
    /// What names it.
    pub input: MediaInput,
}

/// The files that a call names. Those that came from the web are in the store and in no library yet: end with
/// [`keep`](Self::keep) or [`discard`](Self::discard).
#[must_use]
pub struct Gathered {
    wanted: Vec<Wanted>,
    sources: Vec<Option<Source>>,
    /// What the libraries have of it.
    known: Vec<Media>,
    downloads: Downloads,
}

/// Looks up and fetches every file that a call names, each address once for a workspace.
///
/// A `media_id` must be of its workspace. What is fetched is examined.
///
/// # Errors
/// When the gate is closed, the database fails or nobody waits any more; nothing is stored then. What is wrong with single files comes beside
/// the others: `missing`, `conflicting`, `out_of_range`, `media_not_found`, `media_not_fetched`, `media_not_accepted`,
/// `too_many`. An id's answer is the same whether it is another tenant's, another workspace's or nobody's.
pub async fn gather(caller: &Caller<'_>, wanted: Vec<Wanted>) -> Result<(Gathered, Vec<Problem>), Refusal> {
    let mut problems = Problems::default();
    let sources: Vec<Option<Source>> =
        wanted.iter().map(|one| problems.keep(one.input.source(&one.field))).collect();
    let mut known = stored(caller, &wanted, &sources).await?;
    let sources: Vec<Option<Source>> = sources
        .into_iter()
        .zip(&wanted)
        .map(|(source, one)| source.map(|source| one_of(source, one, &known, &mut problems)))
        .collect();
    let downloads = Downloads::of(caller, &wanted, &sources).await?;
    match present(caller, &downloads).await {
        Ok(present) => known.extend(present),
        Err(refusal) => {
            downloads.discard(caller).await;
            return Err(refusal);
        }
    }
    let gathered = Gathered { wanted, sources, known, downloads };
    for (index, one) in gathered.wanted.iter().enumerate() {
        let found = match gathered.sources.get(index) {
            Some(Some(Source::Stored(_))) if gathered.found(index).is_none() => Err(not_found(&one.field)),
            Some(Some(Source::Web(url))) => {
                gathered.downloads.of_url(&one.workspace, url, &one.field).map(drop)
            }
            _ => Ok(()),
        };
        problems.keep(found);
    }
    Ok((gathered, problems.into_vec()))
}

impl Gathered {
    /// The file that the call names in this place, as it is or would be in the library. Where there is a problem, or a rehearsal
    /// asks no address, a picture that every network takes stands in.
    pub fn attachment(&self, index: usize) -> Option<Attachment> {
        let alt = self.wanted.get(index)?.input.alt.as_deref();
        self.found(index).or_else(|| stand_in(alt))
    }

    fn found(&self, index: usize) -> Option<Attachment> {
        let one = self.wanted.get(index)?;
        let alt = one.input.alt.as_deref();
        match self.sources.get(index)?.as_ref()? {
            Source::Stored(id) => self
                .known
                .iter()
                .find(|media| media.workspace_id == one.workspace && Some(&media.id) == id.as_ref())
                .map(|media| media.attachment(alt)),
            Source::Both(..) => None,
            Source::Web(url) => {
                let arrival = self.downloads.of_url(&one.workspace, url, &one.field).ok()??;
                let hash = &arrival.examined.hash;
                match self.in_library(&one.workspace, hash) {
                    Some(media) => Some(media.attachment(alt)),
                    None => {
                        let first = self.downloads.first_of(&one.workspace, hash)?;
                        Some(self.media_of(first, first.arrival()?).attachment(alt))
                    }
                }
            }
        }
    }

    /// Adds what was fetched to the libraries of its workspaces, which keep one copy of the same bytes. Gives each file that
    /// is in a library under another id than [`attachment`](Self::attachment) told, because it came there meanwhile: that id, and the
    /// one that it has.
    ///
    /// # Errors
    /// When the gate is closed or the database fails; nothing is kept then, unless it is not known whether it is.
    pub async fn keep(self, caller: &Caller<'_>) -> Result<Vec<(MediaId, MediaId)>, Refusal> {
        let new: Vec<&Download> = self
            .downloads
            .arrived()
            .filter(|one| self.in_library(&one.workspace, one.hash()).is_none())
            .collect();
        if new.is_empty() {
            self.downloads.discard(caller).await;
            return Ok(Vec::new());
        }
        let outcome = self.add(caller, &new).await;
        match &outcome {
            Ok(kept) => self.downloads.discard_except(caller, kept).await,
            // The rows may be there, so their files must stay.
            Err(Refusal::Fault(DatabaseFault::Unknown(_))) => {}
            Err(_) => self.downloads.discard(caller).await,
        }
        let kept = outcome?;
        let renamed = new.iter().filter_map(|one| {
            let told = &one.arrival()?.id;
            let kept =
                kept.iter().find(|media| media.workspace_id == one.workspace && media.hash == one.hash())?;
            (kept.id != *told).then(|| (told.clone(), kept.id.clone()))
        });
        Ok(renamed.collect())
    }

    /// Forgets what was fetched.
    pub async fn discard(self, caller: &Caller<'_>) {
        self.downloads.discard(caller).await;
    }

    fn in_library(&self, workspace: &WorkspaceId, hash: &str) -> Option<&Media> {
        self.known.iter().find(|media| media.workspace_id == *workspace && media.hash == hash)
    }

    /// What arrived as it would be in the library, described by the first description that the call gives for its address.
    fn media_of(&self, download: &Download, arrival: &Arrival) -> Media {
        let alt = self
            .wanted
            .iter()
            .filter(|one| one.workspace == download.workspace)
            .filter(|one| one.input.url.as_deref().map(str::trim) == Some(download.url.as_str()))
            .find_map(|one| one.input.alt.clone())
            .unwrap_or_default();
        let Arrival { id, examined } = arrival;
        Media {
            id: id.clone(),
            workspace_id: download.workspace.clone(),
            hash: examined.hash.clone(),
            content_type: examined.picture.format.content_type().to_owned(),
            bytes: examined.size,
            width: Some(examined.picture.width),
            height: Some(examined.picture.height),
            alt,
        }
    }

    async fn add(&self, caller: &Caller<'_>, new: &[&Download]) -> Result<Vec<Media>, Refusal> {
        let media: Vec<Media> =
            new.iter().filter_map(|one| Some(self.media_of(one, one.arrival()?))).collect();
        let subjects: Vec<&str> = media.iter().map(|media| media.id.as_str()).collect();
        let mut statements: Vec<Statement> = media.iter().map(|media| addition(caller, media)).collect();
        let added = statements.len();
        let reads = by_hashes(caller, new);
        let read = reads.len();
        statements.extend(reads);
        let mut answer = caller.write(Act { name: "add_media", subjects: &subjects }, statements).await?;
        (0..added).for_each(|_| drop(answer.next_rows()));
        let mut kept = Vec::new();
        for _ in 0..read {
            kept.extend(answer.next_as::<Media>()?);
        }
        let is_kept = |one: &Media| {
            kept.iter().any(|media| media.workspace_id == one.workspace_id && media.hash == one.hash)
        };
        if media.iter().all(is_kept) { Ok(kept) } else { Err(Refusal::Conflict) }
    }
}

/// Of an id and an address given for one file the id, if there is such a file, and else the address.
fn one_of(source: Source, wanted: &Wanted, known: &[Media], problems: &mut Problems) -> Source {
    let Source::Both(id, url) = source else { return source };
    let is_it = |media: &&Media| media.workspace_id == wanted.workspace && Some(&media.id) == id.as_ref();
    let (left_out, source) = match known.iter().find(is_it) {
        Some(_) => ("url", Source::Stored(id)),
        None => ("media_id", Source::Web(url)),
    };
    let field = &wanted.field;
    let fix = Fix::Elsewhere(vec![(format!("{field}.{left_out}"), Fix::Remove)]);
    problems.add(Problem::new(Code::Conflicting, field, "Leave out either media_id or url.").fix(fix));
    source
}

/// The stored files that the sources name. The gate is asked even if there are none.
async fn stored(
    caller: &Caller<'_>,
    wanted: &[Wanted],
    sources: &[Option<Source>],
) -> Result<Vec<Media>, Refusal> {
    let ids: Vec<MediaId> = sources
        .iter()
        .filter_map(|source| match source {
            Some(Source::Stored(id) | Source::Both(id, _)) => id.clone(),
            _ => None,
        })
        .collect();
    let mut answer = caller.read(vec![attachments(caller, &ids)]).await?;
    for one in wanted {
        answer.facts.workspace(Some(one.workspace.as_str()))?;
    }
    answer.next_as()
}

/// What the libraries have already of what arrived.
async fn present(caller: &Caller<'_>, downloads: &Downloads) -> Result<Vec<Media>, Refusal> {
    let arrived: Vec<&Download> = downloads.arrived().collect();
    if arrived.is_empty() {
        return Ok(Vec::new());
    }
    let reads = by_hashes(caller, &arrived);
    let count = reads.len();
    let mut answer = caller.read(reads).await?;
    let mut present = Vec::new();
    for _ in 0..count {
        present.extend(answer.next_as::<Media>()?);
    }
    Ok(present)
}

/// For each workspace, what its library has of the bytes that arrived for it.
fn by_hashes(caller: &Caller<'_>, arrived: &[&Download]) -> Vec<Statement> {
    let mut workspaces: Vec<&WorkspaceId> = arrived.iter().map(|one| &one.workspace).collect();
    sort_by(&mut workspaces, Ord::cmp);
    workspaces.dedup();
    let statement = |workspace: &WorkspaceId| {
        let of_it = arrived.iter().filter(|one| one.workspace == *workspace);
        let hashes: Vec<&str> = of_it.map(|one| one.hash()).collect();
        store::MEDIA_BY_HASHES.with([
            (&caller.tenant().id).into(),
            workspace.into(),
            serde_json::json!(hashes).to_string().into(),
        ])
    };
    workspaces.into_iter().map(statement).collect()
}

fn stand_in(alt: Option<&str>) -> Option<Attachment> {
    Some(Attachment {
        media_id: "med_00000000000000000000000000".parse().ok()?,
        content_type: "image/png".to_owned(),
        bytes: 1,
        width: Some(1),
        height: Some(1),
        alt: alt.unwrap_or_default().to_owned(),
    })
}

fn not_found(field: &str) -> Problem {
    Problem::new(
        Code::MediaNotFound,
        format!("{field}.media_id"),
        "Use a media_id that a result for this workspace gave, or give the file's url instead of the id.",
    )
    .fix(Fix::RemoveItem)
}

/// What was fetched for one call: each address once for a workspace.
struct Downloads(Vec<Download>);

struct Download {
    workspace: WorkspaceId,
    url: String,
    outcome: Result<Arrival, Missed>,
}

/// Why there is no file of an address.
#[derive(Clone, Copy)]
enum Missed {
    Refused(FetchRefusal),
    TooMany,
    /// It is a rehearsal.
    NotAsked,
}

impl Download {
    fn arrival(&self) -> Option<&Arrival> {
        self.outcome.as_ref().ok()
    }

    fn hash(&self) -> &str {
        self.arrival().map_or("", |arrival| &arrival.examined.hash)
    }
}

impl Downloads {
    /// Fetches each address, one after the other, and tells how many are done.
    ///
    /// # Errors
    /// `cancelled`, as soon as nobody waits any more; nothing is stored then.
    async fn of(caller: &Caller<'_>, wanted: &[Wanted], sources: &[Option<Source>]) -> Result<Self, Refusal> {
        let total = sources.iter().flatten().filter(|source| matches!(source, Source::Web(_))).count();
        let mut downloads: Vec<Download> = Vec::new();
        for (one, source) in wanted.iter().zip(sources) {
            let Some(Source::Web(url)) = source else { continue };
            if downloads.iter().any(|known| known.workspace == one.workspace && known.url == *url) {
                continue;
            }
            let done = downloads.len();
            if let Err(cancelled) = caller.tell_progress(done, total, "Fetching files") {
                Self(downloads).discard(caller).await;
                return Err(cancelled);
            }
            let outcome = if done >= MAX_FETCHES {
                Err(Missed::TooMany)
            } else if caller.is_rehearsing() {
                let allowed = check_address(caller.platform(), url);
                Err(allowed.err().map_or(Missed::NotAsked, Missed::Refused))
            } else {
                fetch(caller.platform(), &caller.tenant().id, url).await.map_err(Missed::Refused)
            };
            downloads.push(Download { workspace: one.workspace.clone(), url: url.clone(), outcome });
        }
        Ok(Self(downloads))
    }

    fn of_url(&self, workspace: &WorkspaceId, url: &str, field: &str) -> Result<Option<&Arrival>, Problem> {
        let found = self.0.iter().find(|one| one.workspace == *workspace && one.url == url);
        match found.map(|one| &one.outcome) {
            Some(Ok(arrival)) => Ok(Some(arrival)),
            Some(Err(Missed::NotAsked)) => Ok(None),
            Some(Err(Missed::Refused(refusal))) => Err(refusal.problem(field)),
            Some(Err(Missed::TooMany)) | None => Err(Problem::new(
                Code::TooMany,
                format!("{field}.url"),
                format!("Give at most {MAX_FETCHES} addresses in one call."),
            )),
        }
    }

    /// The first download of these bytes for a workspace.
    fn first_of(&self, workspace: &WorkspaceId, hash: &str) -> Option<&Download> {
        self.arrived().find(|one| one.workspace == *workspace && one.hash() == hash)
    }

    fn arrived(&self) -> impl Iterator<Item = &Download> {
        self.0.iter().filter(|one| one.outcome.is_ok())
    }

    async fn discard(&self, caller: &Caller<'_>) {
        self.discard_except(caller, &[]).await;
    }

    /// Discards what is not kept.
    async fn discard_except(&self, caller: &Caller<'_>, kept: &[Media]) {
        for arrival in self.0.iter().filter_map(Download::arrival) {
            if !kept.iter().any(|media| media.id == arrival.id) {
                discard(caller.platform(), &caller.tenant().id, &arrival.id).await;
            }
        }
    }
}

fn addition(caller: &Caller<'_>, media: &Media) -> Statement {
    let (tenant, grant) = caller.sight();
    store::MEDIA_ADD.with([
        tenant,
        grant,
        (&media.workspace_id).into(),
        (&media.id).into(),
        media.hash.as_str().into(),
        media.content_type.as_str().into(),
        i64::try_from(media.bytes).unwrap_or(i64::MAX).into(),
        media.width.map(i64::from).into(),
        media.height.map(i64::from).into(),
        media.alt.as_str().into(),
        caller.now().into(),
    ])
}
