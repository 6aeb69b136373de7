//! A post's text to Bluesky's facets: any text gives marks that lie within it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postern::networks::{
    Draft, DraftPart, Network, PartKind, render,
    spans::{Mark, Span},
};
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

fuzz_target!(|text: &str| {
    let part = DraftPart {
        kind: PartKind::Post,
        text: text.to_owned(),
        media: Vec::new(),
        field: "text".to_owned(),
    };
    let rendered = render(Network::Bluesky, &Draft { parts: vec![part], settings: serde_json::Value::Null });
    for part in &rendered.parts {
        assert_eq!(part.length.count as usize, part.text.graphemes(true).count());
        let spans: Vec<Span> = serde_json::from_value(part.wire["spans"].clone()).expect("spans");
        let mut end = 0;
        for span in spans {
            assert!(span.range.start >= end, "{span:?} overlaps what is before it");
            end = span.range.end;
            assert_is_marked(&part.text, &span);
        }
    }
});

/// `app.bsky.richtext.facet`: byte offsets at characters' boundaries, of something that the mark may be.
fn assert_is_marked(text: &str, span: &Span) {
    let marked = text.get(span.range.clone()).unwrap_or_else(|| panic!("{span:?} cuts a character"));
    assert!(!marked.is_empty() && !marked.contains(char::is_whitespace), "{span:?}");
    match &span.mark {
        Mark::Link(uri) => {
            let url = Url::parse(uri).unwrap_or_else(|fault| panic!("{uri}: {fault}"));
            assert!(matches!(url.scheme(), "http" | "https") && url.has_host(), "{uri}");
            assert!(uri.is_ascii(), "{uri}");
        }
        Mark::Mention(handle) => {
            assert!(handle.len() <= 253 && handle.contains('.'), "{handle}");
            let is_handle =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
            assert!(handle.bytes().all(is_handle), "{handle}");
            assert!(marked.to_ascii_lowercase().ends_with(handle.as_str()), "{marked} {handle}");
        }
        Mark::Tag(tag) => {
            assert!(!tag.is_empty() && tag.len() <= 640 && tag.graphemes(true).count() <= 64, "{tag}");
            assert!(marked.ends_with(tag.as_str()), "{marked} {tag}");
        }
    }
}
