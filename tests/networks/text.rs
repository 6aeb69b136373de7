//! What networks read in a text, and what they find wrong with a draft.

use postern::{
    desk::{Code, MediaId},
    networks::{
        Attachment, Draft, DraftPart, Network, PartKind, Rendered, render, rules, settings_problems,
        spans::{Mark, spans},
    },
};
use serde_json::{Value, json};

use crate::sim::{BEGIN, Random, SimEntropy};

/// The marked slices of a text, with what they are.
fn marked(text: &str) -> Vec<(&str, Mark)> {
    spans(text).into_iter().map(|span| (&text[span.range], span.mark)).collect()
}

/// The only link of a text: how it is shown, and where it leads.
fn only_link(text: &str) -> (String, String) {
    match marked(text).as_slice() {
        [(shown, Mark::Link(uri))] => ((*shown).to_owned(), uri.clone()),
        other => panic!("{text:?} gave {other:?}"),
    }
}

#[test]
fn links_end_where_people_mean_them_to() {
    for (text, shown) in [
        ("See https://example.com.", "https://example.com"),
        ("See https://example.com/a?b=c, then", "https://example.com/a?b=c"),
        ("(https://example.com/a)", "https://example.com/a"),
        ("https://en.example.org/wiki/Rust_(language)", "https://en.example.org/wiki/Rust_(language)"),
        ("(see https://en.example.org/wiki/Rust_(language)).", "https://en.example.org/wiki/Rust_(language)"),
        ("\"https://example.com/a\"!", "https://example.com/a"),
        ("<https://example.com/a>", "https://example.com/a"),
        ("https://example.com/a...", "https://example.com/a"),
        ("https://example.com/a/?", "https://example.com/a/"),
        ("https://example.com/#top:", "https://example.com/#top"),
        ("👩‍👩‍👧‍👦 https://example.com/👋", "https://example.com/👋"),
        ("見て「https://example.com/a」。", "https://example.com/a"),
        ("مرحبا https://example.com/مرحبا يا", "https://example.com/مرحبا"),
        ("e\u{301} https://example.com/e\u{301}", "https://example.com/e\u{301}"),
        ("HTTPS://EXAMPLE.COM/A", "HTTPS://EXAMPLE.COM/A"),
    ] {
        assert_eq!(only_link(text).0, shown, "{text}");
    }
    assert_eq!(only_link("https://例え.example/é").1, "https://xn--r8jz45g.example/%C3%A9");
}

#[test]
fn bare_domains_are_links_when_their_top_level_exists() {
    for (text, shown, uri) in [
        ("go to example.com/path.", "example.com/path", "https://example.com/path"),
        ("(postern.dev)", "postern.dev", "https://postern.dev"),
        ("a.b.example.co.uk?x=1", "a.b.example.co.uk?x=1", "https://a.b.example.co.uk?x=1"),
        ("example.com:8443/x", "example.com:8443/x", "https://example.com:8443/x"),
    ] {
        assert_eq!(only_link(text), (shown.to_owned(), uri.to_owned()));
    }
    for text in ["e.g. this", "i.e.", "v1.2.3", "file.txt", "end.Next", "3.14", "a..com", "-x.com", "..."] {
        assert_eq!(marked(text), [], "{text}");
    }
}

#[test]
fn what_is_no_address_is_no_link() {
    for text in [
        "https://",
        "http:// example",
        "javascript:alert(1)",
        "xhttps://example.com",
        "https://nodots",
        "ftp://example.com",
    ] {
        assert_eq!(marked(text), [], "{text}");
    }
    assert_eq!(marked("https://user@example.com/").len(), 1);
}

#[test]
fn mentions_are_handles() {
    let mention = |handle: &str| Mark::Mention(handle.to_owned());
    assert_eq!(marked("Hi @Alice.bsky.social!"), [("@Alice.bsky.social", mention("alice.bsky.social"))]);
    assert_eq!(marked("(@a.test)'s"), [("@a.test", mention("a.test"))]);
    assert_eq!(marked("@bob.example's cat"), [("@bob.example", mention("bob.example"))]);
    for text in ["@alice", "mail me@example.org.invalid", "@.com", "@a-.com", "@a.1"] {
        assert!(marked(text).iter().all(|(_, mark)| !matches!(mark, Mark::Mention(_))), "{text}");
    }
}

#[test]
fn hashtags_are_words() {
    let tag = |tag: &str| Mark::Tag(tag.to_owned());
    assert_eq!(
        marked("#one #two! (#three)"),
        [("#one", tag("one")), ("#two", tag("two")), ("#three", tag("three"))]
    );
    assert_eq!(marked("#日本語 \u{ff03}港。"), [("#日本語", tag("日本語")), ("\u{ff03}港", tag("港"))]);
    assert_eq!(marked("#émoji👋🏽"), [("#émoji👋🏽", tag("émoji👋🏽"))]);
    for text in ["#", "#1", "#2026", "a#b", "##", "#️⃣", "#...", &format!("#{}", "x".repeat(65))] {
        assert_eq!(marked(text), [], "{text}");
    }
    assert_eq!(marked(&format!("#{}", "x".repeat(64))).len(), 1);
}

/// Whatever the text: spans lie on character boundaries, in order, apart from each other, and their slices are what
/// they say.
#[test]
fn spans_always_fit_the_text() {
    const PIECES: [&str; 40] = [
        " ",
        "\n",
        "\t",
        "\u{3000}",
        "(",
        ")",
        "[",
        "]",
        "\"",
        "'",
        "“",
        "”",
        ".",
        ",",
        "!",
        "…",
        "@",
        "#",
        "\u{ff20}",
        "\u{ff03}",
        "https://",
        "HTTP://",
        "example.com",
        "a.test",
        ".",
        "/",
        "?",
        "=",
        "&",
        "👩‍👩‍👧‍👦",
        "e\u{301}",
        "ß",
        "日本",
        "مرحبا",
        "\u{200d}",
        "\u{fe0f}",
        "\u{202e}",
        "x",
        "7",
        "-",
    ];
    for seed in 0..20_000 {
        let random = Random::new(seed);
        let text: String = (0..random.below(14))
            .map(|_| PIECES[usize::try_from(random.below(PIECES.len() as u64)).unwrap()])
            .collect();
        let mut end = 0;
        for span in spans(&text) {
            let slice =
                text.get(span.range.clone()).unwrap_or_else(|| panic!("seed {seed}: {span:?} in {text:?}"));
            assert!(span.range.start >= end && !slice.is_empty(), "seed {seed}: {span:?} in {text:?}");
            let says = match &span.mark {
                Mark::Link(uri) => uri.starts_with("http") || uri.starts_with("HTTP"),
                Mark::Mention(handle) => slice.to_lowercase().ends_with(handle.as_str()),
                Mark::Tag(tag) => slice.ends_with(tag.as_str()),
            };
            assert!(says, "seed {seed}: {span:?} is {slice:?} in {text:?}");
            assert!(!slice.contains(char::is_whitespace), "seed {seed}: {slice:?} in {text:?}");
            end = span.range.end;
        }
    }
}

fn rendered(network: Network, text: &str, media: Vec<Attachment>) -> Rendered {
    let part =
        DraftPart { kind: PartKind::Post, text: text.to_owned(), media, field: "thread[1].text".to_owned() };
    render(network, &Draft { parts: vec![part], settings: Value::Null })
}

fn picture(content_type: &str, bytes: u64, alt: &str) -> Attachment {
    let media_id = MediaId::new(BEGIN, &SimEntropy::new(bytes));
    let content_type = content_type.to_owned();
    Attachment { media_id, content_type, bytes, width: None, height: None, alt: alt.to_owned() }
}

fn only_problem(rendered: &Rendered) -> (Code, &str, &str) {
    match rendered.problems.as_slice() {
        [problem] => (problem.code, &problem.field, &problem.message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bluesky_counts_what_people_see() {
    for (text, count) in [
        ("", 0),
        ("abc", 3),
        ("👩‍👩‍👧‍👦", 1),
        ("👋🏽🇸🇪", 2),
        ("e\u{301}a\u{308}", 2),
        ("日本語", 3),
        ("مَرْحَبًا", 5),
        ("a\r\nb", 3),
        ("  padded  ", 6),
    ] {
        let rendered = rendered(Network::Bluesky, text, vec![picture("image/png", 1, "alt")]);
        assert_eq!(rendered.parts[0].length.count, count, "{text:?}");
        assert_eq!(rendered.problems, []);
    }
    assert_eq!(rendered(Network::Bluesky, &"é".repeat(300), Vec::new()).problems, []);
    let long = rendered(Network::Bluesky, &"é".repeat(312), Vec::new());
    let (code, field, message) = only_problem(&long);
    assert_eq!((code, field), (Code::ContentTooLong, "thread[1].text"));
    assert!(
        message.contains("312") && message.contains("300") && message.contains("12 too long"),
        "{message}"
    );
}

#[test]
fn bluesky_also_counts_bytes() {
    let family = "👩‍👩‍👧‍👦";
    assert_eq!(rendered(Network::Bluesky, &family.repeat(120), Vec::new()).problems, []);
    let many = rendered(Network::Bluesky, &family.repeat(121), Vec::new());
    let (code, _, message) = only_problem(&many);
    assert_eq!(code, Code::ContentTooLong);
    assert!(
        message.contains("3025") && message.contains("3000") && message.contains("25 too long"),
        "{message}"
    );
}

#[test]
fn the_wall_counts_characters() {
    assert_eq!(rendered(Network::Wall, &"日".repeat(5000), Vec::new()).problems, []);
    let long = rendered(Network::Wall, &"日".repeat(5001), Vec::new());
    assert!(only_problem(&long).2.contains("1 too long"));
}

#[test]
fn nothing_at_all_is_a_problem_and_a_picture_alone_is_none() {
    for network in Network::ALL {
        let empty = rendered(network, " \n ", Vec::new());
        assert_eq!(only_problem(&empty).0, Code::ContentEmpty);
        assert_eq!(rendered(network, "", vec![picture("image/png", 9, "alt")]).problems, []);
    }
}

#[test]
fn a_text_that_shows_nothing_is_no_text() {
    for text in [
        "\u{200b}",
        " \u{200b}\n\u{2060} ",
        "\u{feff}",
        "\u{ad}",
        "\u{2800}",
        "\u{3164}",
        "\u{e0041}\u{fe0f}",
    ] {
        for network in Network::ALL {
            let blank = rendered(network, text, Vec::new());
            assert_eq!(only_problem(&blank).0, Code::ContentEmpty, "{}", text.escape_unicode());
            assert_eq!(rendered(network, text, vec![picture("image/png", 9, "alt")]).problems, []);
        }
    }
    for text in ["\u{200b}a", "👩\u{200d}👧", "❤\u{fe0f}"] {
        assert_eq!(rendered(Network::ALL[0], text, Vec::new()).problems, [], "{}", text.escape_unicode());
    }
}

#[test]
fn media_that_do_not_fit_are_all_told_with_their_numbers() {
    let media = vec![
        picture("image/png", 2_000_001, "alt"),
        picture("video/mp4", 10, "alt"),
        picture("image/png", 2_000_000, "alt"),
        picture("image/svg+xml", 10, "alt"),
        picture("image/jpeg", 10, "alt"),
    ];
    let problems = rendered(Network::Bluesky, "Hello", media).problems;
    let told: Vec<(&str, &str)> =
        problems.iter().map(|problem| (problem.field.as_str(), problem.message.as_str())).collect();
    assert_eq!(
        told,
        [
            ("thread[1].media", "There are 5 media files; Bluesky takes 4 in one post."),
            (
                "thread[1].media[0]",
                "The picture has 2000001 bytes; Bluesky takes 2000000, so it is 1 too large."
            ),
            ("thread[1].media[1]", "Bluesky does not take video/mp4."),
            ("thread[1].media[3]", "Bluesky does not take image/svg+xml."),
        ]
    );
}

#[test]
fn what_writers_may_not_expect_is_a_warning() {
    let rendered = rendered(Network::Bluesky, "Hello", vec![picture("image/gif", 10, " ")]);
    assert_eq!(rendered.problems, []);
    assert!(
        rendered
            .warnings
            .iter()
            .any(|words| words.contains("thread[1].media[0]") && words.contains("alt text"))
    );
    assert!(rendered.warnings.iter().any(|words| words.contains("first frame")));
}

#[test]
fn control_characters_do_not_travel() {
    for network in Network::ALL {
        let rendered = rendered(network, "a\u{0}b\u{1b}[31m\r\nc\td\u{7f}", Vec::new());
        assert_eq!(rendered.parts[0].text, "ab[31m\nc\td");
    }
}

#[test]
fn settings_are_told_what_is_wrong_with_them() {
    let found = |network, settings: Value| -> Vec<(Code, String)> {
        let problems = settings_problems(network, &settings, "overrides[0].settings");
        problems.into_iter().map(|problem| (problem.code, problem.field)).collect()
    };
    for network in Network::ALL {
        assert_eq!(found(network, Value::Null), []);
        assert_eq!(found(network, json!({})), []);
        assert_eq!(found(network, json!([1])), [(Code::WrongType, "overrides[0].settings".to_owned())]);
        assert_eq!(
            found(network, json!({ "x": 1 })),
            [(Code::UnknownField, "overrides[0].settings.x".to_owned())]
        );
    }
    let good = json!({ "langs": ["en", "pt-BR", "zh-Hant-TW"], "tags": ["Hafen"], "link_card": false });
    assert_eq!(found(Network::Bluesky, good), []);
    let bad = json!({
        "langs": ["en", "e", 5, "english please"], "tags": ["#x", "two words", "y".repeat(65)], "link_card": "no",
    });
    let fields: Vec<String> = found(Network::Bluesky, bad)
        .into_iter()
        .map(|(_, field)| field.trim_start_matches("overrides[0].settings.").to_owned())
        .collect();
    assert_eq!(
        fields,
        ["langs", "langs[1]", "langs[2]", "langs[3]", "link_card", "tags[0]", "tags[1]", "tags[2]"]
    );
}

#[test]
fn the_rules_are_the_ones_that_are_applied() {
    for network in Network::ALL {
        let rules = rules(network);
        let limit = usize::try_from(rules.text_limit).unwrap();
        assert_eq!(rendered(network, &"a".repeat(limit), Vec::new()).problems, []);
        assert_eq!(rendered(network, &"a".repeat(limit + 1), Vec::new()).problems.len(), 1);
        let most =
            |count: u32| (0..count).map(|n| picture(rules.image_types[0], u64::from(n), "alt")).collect();
        assert_eq!(rendered(network, "a", most(rules.images)).problems, []);
        assert_eq!(rendered(network, "a", most(rules.images + 1)).problems.len(), 1);
        for content_type in rules.image_types {
            let taken = ["image/png", "image/jpeg", "image/gif", "image/webp"];
            assert!(taken.contains(content_type), "{content_type} is not taken into the library");
            assert_eq!(
                rendered(network, "a", vec![picture(content_type, rules.image_bytes, "alt")]).problems,
                []
            );
        }
    }
}
