//! Streams of bytes, read with a limit.

use std::pin::Pin;

use futures_core::Stream;
use worker::ByteStream;

/// The next piece of `stream`; nothing at its end.
pub async fn next(stream: &mut ByteStream) -> Option<worker::Result<Vec<u8>>> {
    std::future::poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}

/// All of `stream`, or the bytes up to and including the first piece that goes beyond `limit`.
pub async fn read(mut stream: ByteStream, limit: usize) -> worker::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while bytes.len() <= limit
        && let Some(piece) = next(&mut stream).await
    {
        bytes.extend(piece?);
    }
    Ok(bytes)
}
