//! What the library of media takes, refuses, keeps and serves.

use std::{collections::BTreeMap, rc::Rc};

use postern::{
    desk::{Caller, Code, MediaId, Problem, Refusal, WorkspaceId, media_address, sha256_text},
    http::{Request, RequestMethod, Response},
    media::{self, MediaInput, Wanted},
    networks::Attachment,
    platform::{DatabaseFault, HttpFault, Later},
};
use rusqlite::params;

use crate::sim::{Fault, Incoming, Port, Random, Reply, Sim, interleave, run, world::Company, yield_now};

const CAT: &str = "https://pictures.example/cat.png";

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], kind, data, &[0; 4]].concat()
}

fn png_with(width: u32, height: u32, middle: &[u8]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes()[..], &[8, 6, 0, 0, 0]].concat();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        middle.to_vec(),
        b"\0\0\0\0IEND\xae\x42\x60\x82".to_vec(),
    ]
    .concat()
}

pub fn png(width: u32, height: u32) -> Vec<u8> {
    png_with(width, height, &chunk(b"IDAT", b"pixels"))
}

fn gif(width: u16, height: u16, middle: &[u8]) -> Vec<u8> {
    [b"GIF89a", &width.to_le_bytes()[..], &height.to_le_bytes()[..], &[0, 0, 0], middle, b";"].concat()
}

fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let (h, w) = (height.to_be_bytes(), width.to_be_bytes());
    let frame = [0xff, 0xc0, 0, 11, 8, h[0], h[1], w[0], w[1], 1, 0x11, 0x11, 0];
    [&[0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0][..], &frame, &[0xff, 0xda, 0, 2, 1, 2, 3, 0xff, 0xd9]].concat()
}

fn webp(width: u32, height: u32) -> Vec<u8> {
    let size = |side: u32| (side - 1).to_le_bytes()[..3].to_vec();
    let extended = [b"VP8X", &10_u32.to_le_bytes()[..], &[0; 4], &size(width), &size(height)].concat();
    let length = u32::try_from(extended.len() + 4).unwrap().to_le_bytes();
    [b"RIFF", &length[..], b"WEBP", &extended].concat()
}

/// A world with a company, and a web that holds these files.
fn world(files: &[(&str, Reply)]) -> (Sim, Company) {
    let sim = Sim::new(5);
    let company = Company::found(&sim, "acme");
    let files: BTreeMap<String, Reply> =
        files.iter().map(|(url, reply)| ((*url).to_owned(), reply.clone())).collect();
    sim.web.set_peer(Rc::new(move |request: &Incoming| {
        files.get(&request.url).cloned().ok_or_else(|| HttpFault::NotSent("no such host".to_owned()))
    }));
    (sim, company)
}

/// The media type that the server claims is never believed.
pub fn file(bytes: Vec<u8>) -> Reply {
    Reply::of(200, "text/html", bytes)
}

fn url(address: &str) -> MediaInput {
    MediaInput { url: Some(address.to_owned()), ..MediaInput::default() }
}

fn id(media_id: &str) -> MediaInput {
    MediaInput { media_id: Some(media_id.to_owned()), ..MediaInput::default() }
}

/// What a call does with the files that it names: keeps all of them, or none.
async fn resolve_by(
    caller: &Caller<'_>,
    workspace: &WorkspaceId,
    inputs: Vec<MediaInput>,
) -> Result<Result<Vec<Attachment>, Vec<Problem>>, Refusal> {
    let count = inputs.len();
    let wanted = inputs.into_iter().enumerate().map(|(index, input)| Wanted {
        workspace: workspace.clone(),
        field: format!("media[{index}]"),
        input,
    });
    let (gathered, problems) = media::gather(caller, wanted.collect()).await?;
    if !problems.is_empty() {
        gathered.discard(caller).await;
        return Ok(Err(problems));
    }
    let mut found: Vec<Attachment> = (0..count).map(|index| gathered.attachment(index).unwrap()).collect();
    for (told, kept) in gathered.keep(caller).await? {
        found.iter_mut().filter(|one| one.media_id == told).for_each(|one| one.media_id = kept.clone());
    }
    Ok(Ok(found))
}

fn resolve(
    sim: &Sim,
    company: &Company,
    workspace: &WorkspaceId,
    inputs: Vec<MediaInput>,
) -> Result<Result<Vec<Attachment>, Vec<Problem>>, Refusal> {
    run(resolve_by(&company.caller(sim), workspace, inputs))
}

fn accepted(sim: &Sim, company: &Company, inputs: Vec<MediaInput>) -> Vec<Attachment> {
    resolve(sim, company, &company.workspace, inputs).unwrap().unwrap()
}

fn refused(sim: &Sim, company: &Company, inputs: Vec<MediaInput>) -> Vec<(Code, String)> {
    let problems = resolve(sim, company, &company.workspace, inputs).unwrap().unwrap_err();
    assert!(problems.iter().all(|problem| !problem.hint.is_empty()));
    problems.into_iter().map(|problem| (problem.code, problem.field)).collect()
}

fn rows(sim: &Sim) -> i64 {
    sim.shard().number("SELECT count(*) FROM media", [])
}

fn text(sim: &Sim, sql: &str) -> String {
    sim.shard().query(sql, [])[0].get("text").unwrap()
}

fn nothing_is_left(sim: &Sim) {
    assert_eq!(sim.blobs.keys(), Vec::<String>::new());
    assert_eq!(rows(sim), 0);
}

#[test]
fn a_picture_from_the_web_is_kept_with_its_size_and_what_it_shows() {
    let files = [
        (png(800, 600), "image/png"),
        (jpeg(800, 600), "image/jpeg"),
        (gif(800, 600, b","), "image/gif"),
        (webp(800, 600), "image/webp"),
    ];
    for (bytes, content_type) in files {
        let (sim, company) = world(&[(CAT, file(bytes.clone()))]);
        let input = MediaInput { alt: Some("A cat".to_owned()), ..url(CAT) };
        let found = accepted(&sim, &company, vec![input]);
        assert_eq!(found[0].content_type, content_type);
        assert_eq!((found[0].width, found[0].height), (Some(800), Some(600)));
        assert_eq!(found[0].bytes, bytes.len() as u64);
        assert_eq!(found[0].alt, "A cat");
        let hash = text(&sim, "SELECT hash AS text FROM media");
        assert_eq!(hash, sha256_text(&bytes));
        assert_eq!(sim.blobs.keys(), [format!("{}/{}", company.tenant.id, found[0].media_id)]);
    }
}

#[test]
fn a_file_larger_than_one_piece_is_hashed_whole() {
    let pixels = chunk(b"IDAT", &vec![7; 9 * 1000 * 1000]);
    let bytes = png_with(100, 100, &pixels);
    let (sim, company) = world(&[(CAT, file(bytes.clone()))]);
    accepted(&sim, &company, vec![url(CAT)]);
    let hash = text(&sim, "SELECT hash AS text FROM media");
    assert_eq!(hash, sha256_text(&bytes));
}

#[test]
fn the_same_bytes_are_kept_once_in_a_workspace() {
    let other = "https://mirror.example/cat";
    let (sim, company) = world(&[(CAT, file(png(8, 8))), (other, file(png(8, 8)))]);
    let first = accepted(&sim, &company, vec![url(CAT), url(other), url(CAT)]);
    assert!(first.iter().all(|attachment| attachment.media_id == first[0].media_id));
    let again = accepted(&sim, &company, vec![url(other)]);
    assert_eq!(again[0].media_id, first[0].media_id);
    assert_eq!((rows(&sim), sim.blobs.keys().len()), (1, 1));
    let by_id = accepted(&sim, &company, vec![id(first[0].media_id.as_str())]);
    assert_eq!(by_id, first[..1]);
}

#[test]
fn an_address_is_fetched_once_in_a_call() {
    let (sim, company) = world(&[(CAT, file(png(8, 8)))]);
    accepted(&sim, &company, vec![url(CAT), url(CAT), url(CAT)]);
    assert_eq!(sim.web.requests().len(), 1);
}

#[test]
fn each_use_of_a_file_may_say_anew_what_it_shows() {
    let (sim, company) = world(&[(CAT, file(png(8, 8)))]);
    let said = |alt: &str, input| MediaInput { alt: Some(alt.to_owned()), ..input };
    let first = accepted(&sim, &company, vec![said("A cat", url(CAT)), said("Tom", url(CAT))]);
    let media_id = first[0].media_id.as_str();
    let later = accepted(&sim, &company, vec![id(media_id), said("Asleep", id(media_id))]);
    let alts: Vec<&str> = first.iter().chain(&later).map(|attachment| attachment.alt.as_str()).collect();
    assert_eq!(alts, ["A cat", "Tom", "A cat", "Asleep"]);
}

#[test]
fn what_is_not_a_picture_or_is_more_than_one_is_not_taken() {
    let script = b"*/=1;alert(document.domain)//";
    let page = b"<html><script>alert(1)</script>";
    let late_markup = [vec![b'x'; (4 << 20) - 60], b"<ScRiPt>alert(1)</ScRiPt>".to_vec()].concat();
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("SVG", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec()),
        ("HTML", b"<!doctype html><script>alert(1)</script>".to_vec()),
        ("text", b"hello".to_vec()),
        ("nothing", Vec::new()),
        ("a video", b"\0\0\0\x18ftypmp42\0\0\0\0".to_vec()),
        ("an archive", b"PK\x03\x04".to_vec()),
        ("GIF and JavaScript in a comment", gif(u16::from_le_bytes(*b"/*"), 8, script)),
        ("GIF and JavaScript by assignment", gif(u16::from_le_bytes(*b"=1"), 8, b"")),
        ("PNG with a page after it", [png(8, 8), page.to_vec()].concat()),
        ("PNG with a page inside", png_with(8, 8, &chunk(b"tEXt", page))),
        ("PNG with a script across two pieces", png_with(8, 8, &chunk(b"IDAT", &late_markup))),
        ("JPEG with an archive after it", [jpeg(8, 8), b"PK\x03\x04".to_vec()].concat()),
        ("WebP with a page after it", [webp(8, 8), page.to_vec()].concat()),
        ("GIF and PDF", gif(8, 8, b"%PDF-1.7")),
        ("a page before a PNG", [page.to_vec(), png(8, 8)].concat()),
        ("PNG cut short", png(8, 8)[..40].to_vec()),
        ("PNG without a size", b"\x89PNG\r\n\x1a\n".to_vec()),
        ("PNG of no width", png(0, 8)),
        ("PNG as wide as a mountain", png(4_000_000, 8)),
    ];
    for (what, bytes) in files {
        let (sim, company) = world(&[(CAT, file(bytes))]);
        assert_eq!(
            refused(&sim, &company, vec![url(CAT)]),
            [(Code::MediaNotAccepted, "media[0].url".to_owned())],
            "{what}"
        );
        nothing_is_left(&sim);
    }
}

#[test]
fn a_camera_may_pad_its_jpeg() {
    let (sim, company) = world(&[(CAT, file([jpeg(8, 8), vec![0; 100]].concat()))]);
    accepted(&sim, &company, vec![url(CAT)]);
}

#[test]
fn a_file_of_more_than_20_mb_is_not_taken() {
    let room = 20 * 1000 * 1000 - png_with(8, 8, &chunk(b"IDAT", b"")).len();
    let filled = |length: usize| file(png_with(8, 8, &chunk(b"IDAT", &vec![0; length])));
    let (sim, company) = world(&[(CAT, filled(room + 1))]);
    assert_eq!(
        refused(&sim, &company, vec![url(CAT)]),
        [(Code::MediaNotAccepted, "media[0].url".to_owned())]
    );
    nothing_is_left(&sim);
    let (sim, company) = world(&[(CAT, filled(room))]);
    accepted(&sim, &company, vec![url(CAT)]);
}

#[test]
fn only_public_addresses_are_fetched_and_every_redirect_is_checked() {
    let targets = [
        "http://pictures.example/cat.png",
        "https://pictures.example:8443/cat.png",
        "https://user:secret@pictures.example/",
        "https://10.0.0.1/cat.png",
        "https://192.168.0.10/cat.png",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.1]/cat.png",
        "https://[fe80::1]/cat.png",
        "https://intranet/cat.png",
        "https://printer.local/cat.png",
        "http://localhost:8790/healthz",
        "http://127.0.0.1:8790/media/x",
        "file:///etc/passwd",
        "data:image/png;base64,iVBORw0KGgo=",
        "cat.png",
        "",
    ];
    for target in targets {
        let (sim, company) = world(&[(target, file(png(8, 8))), (CAT, Reply::redirect(302, target))]);
        let expected = [(Code::MediaNotFetched, "media[0].url".to_owned())];
        assert_eq!(refused(&sim, &company, vec![url(target)]), expected, "{target}");
        assert!(sim.web.requests().is_empty(), "{target} was asked");
        if !target.is_empty() && target != "cat.png" {
            assert_eq!(refused(&sim, &company, vec![url(CAT)]), expected, "redirect to {target}");
            assert_eq!(sim.web.requests().len(), 1, "{target} was asked after a redirect");
        }
        nothing_is_left(&sim);
    }
}

#[test]
fn redirects_within_the_public_web_are_followed_but_not_for_ever() {
    let moved = "https://cdn.example/cat.png";
    let (sim, company) = world(&[(CAT, Reply::redirect(301, moved)), (moved, file(png(8, 8)))]);
    accepted(&sim, &company, vec![url(CAT)]);
    assert_eq!(sim.blobs.keys().len(), 1);
    let (sim, company) = world(&[(CAT, Reply::redirect(301, CAT))]);
    assert_eq!(refused(&sim, &company, vec![url(CAT)])[0].0, Code::MediaNotFetched);
    nothing_is_left(&sim);
}

#[test]
fn a_failed_fetch_tells_nothing_of_the_other_side() {
    let secret = "the inner page says 4711";
    let gone = |status: u16| Reply::of(status, "text/plain", secret.as_bytes().to_vec());
    let mut told = Vec::new();
    for reply in [gone(404), gone(401), gone(500), gone(206)] {
        let (sim, company) = world(&[(CAT, reply)]);
        told.push(resolve(&sim, &company, &company.workspace, vec![url(CAT)]).unwrap().unwrap_err());
        nothing_is_left(&sim);
    }
    let (sim, company) = world(&[]);
    told.push(resolve(&sim, &company, &company.workspace, vec![url(CAT)]).unwrap().unwrap_err());
    assert!(told.iter().all(|problems| *problems == told[0]), "{told:?}");
    assert!(!format!("{told:?}").contains("4711"));
}

#[test]
fn an_address_that_is_too_slow_is_given_up() {
    let (sim, company) = world(&[(CAT, file(png(8, 8)))]);
    sim.faults.on_call(Port::Web, 1, Fault::SlowReply(60_000));
    assert_eq!(refused(&sim, &company, vec![url(CAT)])[0].0, Code::MediaNotFetched);
    nothing_is_left(&sim);
}

#[test]
fn all_problems_come_at_once_and_then_nothing_is_kept() {
    let (sim, company) = world(&[(CAT, file(png(8, 8)))]);
    let both = MediaInput { media_id: Some("med_1".to_owned()), ..url(CAT) };
    let long = MediaInput { alt: Some("x".repeat(2001)), ..url(CAT) };
    let inputs =
        vec![url(CAT), MediaInput::default(), both, long, id("med_1"), url("https://nowhere.example/")];
    let expected = [
        (Code::Missing, "media[1]"),
        (Code::OutOfRange, "media[3].alt"),
        (Code::Conflicting, "media[2]"),
        (Code::MediaNotFound, "media[4].media_id"),
        (Code::MediaNotFetched, "media[5].url"),
    ];
    assert_eq!(refused(&sim, &company, inputs), expected.map(|(code, field)| (code, field.to_owned())));
    nothing_is_left(&sim);
}

#[test]
fn more_than_20_addresses_are_too_many() {
    let files: Vec<String> = (0..21).map(|n| format!("https://pictures.example/{n}")).collect();
    let served: Vec<(&str, Reply)> = files.iter().map(|url| (url.as_str(), file(png(8, 8)))).collect();
    let (sim, company) = world(&served);
    let inputs = files.iter().map(|address| url(address)).collect();
    assert_eq!(refused(&sim, &company, inputs), [(Code::TooMany, "media[20].url".to_owned())]);
    assert_eq!(sim.web.requests().len(), 20);
    nothing_is_left(&sim);
}

#[test]
fn a_file_that_is_not_of_this_workspace_is_not_found_whoever_has_it() {
    let (sim, company) = world(&[(CAT, file(png(8, 8)))]);
    let other_company = Company::found(&sim, "globex");
    let unticked = company.add_workspace(&sim, "Second", "UTC");
    let of_another_tenant = accepted(&sim, &other_company, vec![url(CAT)]).remove(0).media_id;
    let member = company.member(&sim, &company.owner);
    let of_another_workspace =
        run(resolve_by(&member, &unticked, vec![url(CAT)])).unwrap().unwrap().remove(0).media_id;
    let invented = MediaId::new(sim.platform().now(), &sim.entropy);
    let ids = [of_another_tenant.as_str(), of_another_workspace.as_str(), invented.as_str(), "cat"];
    let answers: Vec<Vec<Problem>> = ids
        .iter()
        .map(|media_id| resolve(&sim, &company, &company.workspace, vec![id(media_id)]).unwrap().unwrap_err())
        .collect();
    assert_eq!(answers[0][0].code, Code::MediaNotFound);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    // Not even a member who may see both workspaces mixes them.
    let mixed = run(resolve_by(&member, &company.workspace, vec![id(of_another_workspace.as_str())]));
    assert_eq!(mixed.unwrap().unwrap_err(), answers[0]);
}

#[test]
fn a_closed_gate_or_an_unticked_workspace_fetches_nothing() {
    let (sim, company) = world(&[(CAT, file(png(8, 8)))]);
    let unticked = company.add_workspace(&sim, "Second", "UTC");
    let outcome = resolve(&sim, &company, &unticked, vec![url(CAT)]);
    assert!(
        matches!(outcome, Err(Refusal::Problems(problems)) if problems[0].code == Code::WorkspaceNotFound)
    );
    sim.shard().execute("UPDATE oauth_grant SET revoked_at = 1", params![]);
    assert_eq!(resolve(&sim, &company, &company.workspace, vec![url(CAT)]), Err(Refusal::Unauthenticated));
    assert!(sim.web.requests().is_empty());
}

#[test]
fn a_file_stays_while_nobody_can_tell_whether_its_row_was_written() {
    for fault in [Fault::LostReply, Fault::LostRequest] {
        let (sim, company) = world(&[(CAT, file(png(8, 8)))]);
        sim.faults.on_statement("media_add", fault);
        let outcome = resolve(&sim, &company, &company.workspace, vec![url(CAT)]);
        assert!(matches!(outcome, Err(Refusal::Fault(DatabaseFault::Unknown(_)))));
        assert_eq!(rows(&sim), i64::from(fault == Fault::LostReply));
        assert_eq!(sim.blobs.keys().len(), 1);
        // Trying again comes to one file that posts can use.
        let found = accepted(&sim, &company, vec![url(CAT)]);
        assert!(sim.blobs.keys().contains(&format!("{}/{}", company.tenant.id, found[0].media_id)));
    }
}

/// Runs `sql` as soon as the web was asked, while the call goes on.
fn resolve_while(sql: &str, seed: u64) -> (Sim, Option<Refusal>) {
    let (sim, company) = world(&[(CAT, file(png(8, 8)))]);
    let outcome = {
        let caller = company.caller(&sim);
        let call: Later<'_, Option<Refusal>> =
            Box::pin(async { resolve_by(&caller, &company.workspace, vec![url(CAT)]).await.err() });
        let meanwhile: Later<'_, Option<Refusal>> = Box::pin(async {
            while sim.web.requests().is_empty() {
                yield_now().await;
            }
            sim.shard().execute(sql, params![]);
            None
        });
        interleave(&Random::new(seed), vec![call, meanwhile]).swap_remove(0)
    };
    (sim, outcome)
}

#[test]
fn a_grant_that_ends_or_loses_the_workspace_during_the_fetch_leaves_no_file() {
    let ends = ["UPDATE oauth_grant SET revoked_at = 1", "DELETE FROM grant_workspace"];
    for sql in ends {
        let refusals = (0..20).filter(|seed| {
            let (sim, refusal) = resolve_while(sql, *seed);
            assert_eq!(sim.blobs.keys().len() as i64, rows(&sim), "{sql}, seed {seed}");
            assert_eq!(rows(&sim), i64::from(refusal.is_none()), "{sql}, seed {seed}");
            refusal.is_some()
        });
        assert!(refusals.count() > 3, "{sql} came in time");
    }
}

fn get(sim: &Sim, address: &str, headers: &[(&str, &str)]) -> Response {
    let path = address.strip_prefix(&sim.config.content_origin).unwrap();
    let request = Request {
        method: RequestMethod::Get,
        host: "127.0.0.1:8790".to_owned(),
        path: path.to_owned(),
        query: String::new(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: Vec::new(),
        peer: "192.0.2.1".to_owned(),
    };
    let segments = request.segments();
    run(media::serve(&sim.platform(), &request, segments[1], segments[2], segments[3]))
}

fn served(bytes: Vec<u8>) -> (Sim, String) {
    let (sim, company) = world(&[(CAT, file(bytes))]);
    let media_id = accepted(&sim, &company, vec![url(CAT)]).remove(0).media_id;
    let address = media_address(&sim.config, &company.tenant.id, &media_id);
    (sim, address)
}

#[test]
fn a_served_file_is_what_its_bytes_are_and_can_do_nothing() {
    let (sim, address) = served(png(8, 8));
    let response = get(&sim, &address, &[]);
    assert_eq!(response.status, 200);
    assert_eq!(response.body, png(8, 8));
    assert_eq!(response.header("content-type"), Some("image/png"));
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(response.header("content-security-policy"), Some("default-src 'none'; sandbox"));
    assert_eq!(response.header("content-disposition"), Some("inline"));
    assert_eq!(response.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(response.header("accept-ranges"), Some("bytes"));
    assert!(response.header("set-cookie").is_none());
    let etag = response.header("etag").unwrap();
    assert_eq!(get(&sim, &address, &[("if-none-match", etag)]).status, 304);
}

#[test]
fn stored_bytes_that_are_no_picture_are_only_ever_downloaded() {
    let (sim, address) = served(png(8, 8));
    let key = sim.blobs.keys().remove(0);
    sim.blobs.insert(&key, "text/html", b"<script>alert(1)</script>".to_vec());
    let response = get(&sim, &address, &[]);
    assert_eq!(response.header("content-type"), Some("application/octet-stream"));
    assert_eq!(response.header("content-disposition"), Some("attachment"));
}

#[test]
fn one_run_of_bytes_can_be_asked_for() {
    let bytes = png(8, 8);
    let size = bytes.len();
    let (sim, address) = served(bytes.clone());
    let table: Vec<(&str, u16, Option<std::ops::Range<usize>>)> = vec![
        ("bytes=0-3", 206, Some(0..4)),
        ("bytes=4-", 206, Some(4..size)),
        ("bytes=-5", 206, Some(size - 5..size)),
        ("bytes=-9999", 206, Some(0..size)),
        ("bytes=10-9999", 206, Some(10..size)),
        ("bytes=9999-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=5-2", 200, Some(0..size)),
        ("bytes=0-1,4-5", 200, Some(0..size)),
        ("bytes=a-b", 200, Some(0..size)),
        ("lines=1-2", 200, Some(0..size)),
        ("bytes=0-18446744073709551615", 206, Some(0..size)),
    ];
    for (range, status, expected) in table {
        let response = get(&sim, &address, &[("range", range)]);
        assert_eq!(response.status, status, "{range}");
        match expected {
            Some(run) => {
                assert_eq!(response.body, bytes[run.clone()], "{range}");
                assert_eq!(response.header("content-type"), Some("image/png"), "{range}");
                let content_range = format!("bytes {}-{}/{size}", run.start, run.end.wrapping_sub(1));
                let told = response.header("content-range");
                assert_eq!(told, (status == 206).then_some(content_range.as_str()), "{range}");
            }
            None => {
                let whole = format!("bytes */{size}");
                assert_eq!(response.header("content-range"), Some(whole.as_str()));
            }
        }
    }
}

#[test]
fn without_the_right_tag_nothing_is_there() {
    let (sim, address) = served(png(8, 8));
    let (rest, tag) = address.rsplit_once('/').unwrap();
    let other_media = {
        let media = MediaId::new(sim.platform().now(), &sim.entropy);
        let (tenant, _) = rest.rsplit_once('/').unwrap();
        format!("{tenant}/{media}/{tag}")
    };
    let wrong = format!("{rest}/t1.{}", "A".repeat(43));
    let answers = [other_media, wrong, format!("{rest}/x"), format!("{rest}/t9{}", &tag[2..])]
        .map(|address| get(&sim, &address, &[]));
    assert!(answers.iter().all(|answer| answer.status == 404 && answer.body == answers[0].body));
    // A file that is gone answers the same.
    let gone = sim.blobs.keys().remove(0);
    run(postern::platform::Blobs::delete(&*sim.blobs, &gone)).unwrap();
    assert_eq!(get(&sim, &address, &[]).body, answers[0].body);
}
