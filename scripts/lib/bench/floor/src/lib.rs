//! The floor of `scripts/bench`: a bare worker that reads a request and answers so many bytes, without or with one
//! batch of two selects before.
//!
//! `/bytes/<n>` answers n bytes; `/rows/<n>` asks D1 first. `?status=` is the status of the answer.

use worker::{
    Context, D1Result, Env, Error, Headers, Request, Response, Result, event, wasm_bindgen::JsValue,
};

#[event(fetch)]
async fn fetch(mut request: Request, env: Env, _context: Context) -> Result<Response> {
    let path = request.path();
    let url = request.inner().url();
    let status = url.split_once("?status=").and_then(|(_, status)| status.parse().ok()).unwrap_or(200);
    let (kind, bytes) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
    let bytes: usize = bytes.parse().map_err(|_| Error::from("no number of bytes"))?;
    // What a request brings is read, as any worker reads it.
    let body = request.bytes().await?;
    let mut text = match kind {
        "rows" => rows(&env).await?,
        _ => body.len().to_string(),
    };
    text.extend(std::iter::repeat_n(' ', bytes.saturating_sub(text.len())));
    let headers = Headers::new();
    headers.set("content-type", "application/json")?;
    Ok(Response::builder().with_status(status).with_headers(headers).fixed(text.into_bytes()))
}

/// One batch of two selects by key, one row each.
async fn rows(env: &Env) -> Result<String> {
    let database = env.d1("DB")?;
    let select = |key: &str| {
        database.prepare("SELECT key, text FROM entry WHERE key = ?1").bind(&[JsValue::from_str(key)])
    };
    let results = database.batch(vec![select("entry-7")?, select("entry-8")?]).await?;
    let texts = results.iter().map(text_of).collect::<Result<Vec<_>>>()?;
    Ok(texts.concat())
}

fn text_of(result: &D1Result) -> Result<String> {
    let rows: Vec<std::collections::BTreeMap<String, String>> = result.results()?;
    rows.into_iter().next().and_then(|mut row| row.remove("text")).ok_or_else(|| Error::from("no row"))
}
