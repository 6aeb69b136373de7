//! What a file is, told by its bytes alone: raster pictures, and nothing that is something else besides.
//!
//! A polyglot is a valid picture that a browser could also be talked into reading as a page or a script. It is refused
//! by three rules: a file ends where its format says that it ends, it holds no markup that begins a page or a script,
//! and a GIF's first bytes do not read as JavaScript.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

/// How many of a file's first bytes tell what it is and how large: JPEG puts colour profiles before its size.
const HEAD: usize = 1 << 20;
/// How many of its last bytes tell whether it ends properly.
const TAIL: usize = 4096;
/// Widest or highest picture, in pixels.
const MAX_SIDE: u32 = 16_384;

/// The formats that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Png,
    Jpeg,
    Gif,
    WebP,
}

impl Format {
    /// The format whose signature `bytes` start with.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            _ => None,
        }
    }

    /// Its media type.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
        }
    }

    /// Whether a file of `size` bytes with this head and tail ends where its format says. Cameras pad JPEG with zeros.
    fn ends_properly(self, head: &[u8], tail: &[u8], size: u64) -> bool {
        const PNG_END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";
        match self {
            Self::Png => tail.ends_with(PNG_END),
            Self::Jpeg => {
                let end = tail.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                tail.get(..end).is_some_and(|rest| rest.ends_with(&[0xff, 0xd9]))
            }
            Self::Gif => tail.ends_with(b";"),
            Self::WebP => riff_size(head).is_some_and(|stated| stated + 8 == size || stated + 9 == size),
        }
    }
}

fn riff_size(head: &[u8]) -> Option<u64> {
    let bytes: [u8; 4] = head.get(4..8)?.try_into().ok()?;
    Some(u32::from_le_bytes(bytes).into())
}

/// What a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) format: Format,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Why a file is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotAccepted {
    /// None of the formats, such as SVG, HTML or a video.
    Format,
    /// Broken, or larger than any network takes.
    Size,
    /// A picture that is something else besides.
    Polyglot,
}

impl NotAccepted {
    /// What is wrong, in one sentence.
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::Format => "The file is not a PNG, JPEG, GIF or WebP picture.",
            Self::Size => "The picture is broken, or wider or higher than 16384 pixels.",
            Self::Polyglot => "The file has something else in it besides the picture; save the picture anew.",
        }
    }
}

/// What the file with this head, tail and size is.
///
/// # Errors
/// When it is not a picture that is accepted.
fn picture(head: &[u8], tail: &[u8], size: u64) -> Result<Picture, NotAccepted> {
    let format = Format::of(head).ok_or(NotAccepted::Format)?;
    let (width, height) = dimensions(head).ok_or(NotAccepted::Size)?;
    if reads_as_script(format, head) || is_document(head) || !format.ends_properly(head, tail, size) {
        return Err(NotAccepted::Polyglot);
    }
    Ok(Picture { format, width, height })
}

fn dimensions(head: &[u8]) -> Option<(u32, u32)> {
    let size = imagesize::blob_size(head).ok()?;
    let side = |length: usize| u32::try_from(length).ok().filter(|side| (1..=MAX_SIDE).contains(side));
    Some((side(size.width)?, side(size.height)?))
}

/// `GIF89a` is an identifier. What follows is the width; only as text does it go on as a script, and no picture of a
/// usual width has two bytes of text there.
fn reads_as_script(format: Format, head: &[u8]) -> bool {
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    format == Format::Gif && head.get(6..8).is_some_and(|width| width.iter().all(is_text))
}

/// PDF readers take a header anywhere in the first kilobyte.
fn is_document(head: &[u8]) -> bool {
    head.get(..1024).unwrap_or(head).windows(5).any(|window| window == b"%PDF-")
}

/// What begins a page or a script, in lower case. Each is long enough not to occur in compressed pixels.
const MARKUP: [&[u8]; 8] =
    [b"<script", b"<!doctype", b"<html>", b"<html ", b"<iframe", b"<body>", b"<body ", b"<svg xmlns"];

fn holds_markup(bytes: &[u8]) -> bool {
    let begins = |rest: &[u8], mark: &[u8]| {
        rest.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark))
    };
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'<')
        .filter_map(|(at, _)| bytes.get(at..))
        .any(|rest| MARKUP.iter().any(|mark| begins(rest, mark)))
}

/// Looks through a file that comes in pieces, and keeps none of it but its two ends.
#[derive(Default)]
pub(super) struct Examiner {
    hash: Sha256,
    size: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
    markup: bool,
}

/// What a file turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Examined {
    pub(super) picture: Picture,
    /// SHA-256 of all its bytes, base64url.
    pub(super) hash: String,
    pub(super) size: u64,
}

impl Examiner {
    /// Takes the next piece.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        self.hash.update(piece);
        self.size = self.size.saturating_add(piece.len() as u64);
        self.head.extend(piece.iter().take(HEAD.saturating_sub(self.head.len())));
        // With the end of the piece before in front, markup across two pieces is found.
        self.tail.extend_from_slice(piece);
        self.markup = self.markup || holds_markup(&self.tail);
        self.tail = self.tail.split_off(self.tail.len().saturating_sub(TAIL));
    }

    /// What it was.
    ///
    /// # Errors
    /// When it is not a picture that is accepted.
    pub(super) fn finish(self) -> Result<Examined, NotAccepted> {
        let picture = picture(&self.head, &self.tail, self.size)?;
        if self.markup {
            return Err(NotAccepted::Polyglot);
        }
        Ok(Examined { picture, hash: BASE64URL_NOPAD.encode(&self.hash.finalize()), size: self.size })
    }
}
