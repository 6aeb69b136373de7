//! rmcp as a client. It connects to the endpoint of its first argument in the mode of its second, with the access token
//! in `ACCESS_TOKEN`; then answers each line of its input, `["list"]` or `["call", tool, arguments]`, with a line of JSON.
//! Its first line is the revision that was agreed on.

use std::{
    env,
    error::Error,
    io::{self, BufRead, Write},
};

use rmcp::{
    ClientLifecycleMode, ClientServiceExt, RoleClient,
    model::{CallToolRequestParams, ProtocolVersion},
    service::RunningService,
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let mut words = env::args().skip(1);
    let (Some(url), Some(mode)) = (words.next(), words.next()) else {
        return Err("usage: ACCESS_TOKEN=… postern-rmcp-client URL initialize|discover|auto".into());
    };
    let config = StreamableHttpClientTransportConfig::with_uri(url).auth_header(env::var("ACCESS_TOKEN")?);
    let transport = StreamableHttpClientTransport::from_config(config);
    let client = ().serve_with_lifecycle(transport, lifecycle(&mode)?).await?;
    let revision = client.peer_info().map(|info| info.protocol_version.clone());
    say(&json!(revision))?;
    for line in io::stdin().lock().lines() {
        say(&answer(&client, &serde_json::from_str(&line?)?).await?)?;
    }
    Ok(())
}

fn lifecycle(mode: &str) -> Outcome<ClientLifecycleMode> {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    Ok(match mode {
        "initialize" => ClientLifecycleMode::Initialize,
        "discover" => ClientLifecycleMode::Discover { preferred_versions },
        "auto" => ClientLifecycleMode::Auto { preferred_versions, legacy_version: None },
        other => return Err(format!("there is no mode {other}").into()),
    })
}

async fn answer(client: &RunningService<RoleClient, ()>, asked: &Value) -> Outcome<Value> {
    match (asked[0].as_str(), asked[1].as_str(), asked[2].as_object()) {
        (Some("list"), ..) => Ok(serde_json::to_value(client.list_all_tools().await?)?),
        (Some("call"), Some(tool), Some(arguments)) => {
            let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments.clone());
            Ok(serde_json::to_value(client.call_tool(params).await?)?)
        }
        _ => Err(format!("this cannot be asked: {asked}").into()),
    }
}

fn say(line: &Value) -> Outcome<()> {
    println!("{line}");
    Ok(io::stdout().flush()?)
}
