//! `describe_network`.

use postern::{
    desk::{Code, Refusal, ToolEntry},
    networks::{Network, TOOLS, rules},
};
use serde_json::{Value, json};

use crate::sim::{Sim, run, world::Company};

fn describe(network: &str) -> Result<Value, Refusal> {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let tool: &ToolEntry = TOOLS.iter().find(|tool| tool.name == "describe_network").unwrap();
    let text = run(tool.call(&company.caller(&sim), json!({ "network": network })))?;
    Ok(serde_json::from_str(&text).unwrap())
}

#[test]
fn a_network_is_described_by_its_rules_and_an_example() {
    for network in Network::ALL {
        let description = describe(network.as_str()).unwrap();
        assert_eq!(description["rules"], serde_json::to_value(rules(network)).unwrap());
        assert!(description["example"]["text"].is_string());
    }
    assert!(describe(" Bluesky ").is_ok());
}

#[test]
fn an_unknown_network_is_refused_with_the_names_there_are() {
    let Err(Refusal::Problems(problems)) = describe("myspace") else {
        panic!("it is refused");
    };
    assert_eq!((problems[0].code, problems[0].field.as_str()), (Code::NetworkNotFound, "network"));
    assert!(problems[0].hint.contains("wall, bluesky"), "{}", problems[0].hint);
    let next = problems[0].next.as_ref().unwrap();
    assert_eq!(next.tool, "describe_network");
    assert!(describe(next.arguments["network"].as_str().unwrap()).is_ok());
}
