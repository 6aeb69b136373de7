//! The argument parser of every tool: a tool's name, a line break, and any arguments, through the whole worker.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target, fuzzer_mutate};
use postern_fuzz::{
    answered,
    schema::{TOOLS, mutate, pick, sample},
    sim::Random,
    with_world,
};
use serde_json::Value;

const META: &str = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

fuzz_target!(|input: &str| -> Corpus {
    let Some((tool, arguments)) = split(input) else { return Corpus::Reject };
    with_world(|world| {
        let arguments = world.fill_in(arguments);
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","_meta":{META},"arguments":{arguments}}}}}"#
        );
        answered(world, world.request(body.into_bytes()));
    });
    Corpus::Keep
});

fn split(input: &str) -> Option<(&str, &str)> {
    let (tool, arguments) = input.split_once('\n')?;
    TOOLS.iter().any(|(name, _)| name == tool).then_some((tool, arguments))
}

// Bytes alone would rarely get beyond the shape: two of three mutations change a value in its place.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let random = Random::new(u64::from(seed));
    let mutated = if random.below(3) == 0 { None } else { mutated(&data[..size], &random) };
    match mutated {
        Some(text) if text.len() <= max_size => {
            data[..text.len()].copy_from_slice(text.as_bytes());
            text.len()
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
});

fn mutated(input: &[u8], random: &Random) -> Option<String> {
    let known = std::str::from_utf8(input).ok().and_then(split);
    let parsed = known.and_then(|(tool, text)| Some((tool, serde_json::from_str::<Value>(text).ok()?)));
    let (tool, arguments) = match parsed {
        Some((tool, mut arguments)) if !random.happens(50) => {
            let (_, schema) = TOOLS.iter().find(|(name, _)| name == tool)?;
            mutate(&mut arguments, schema, random);
            (tool, arguments)
        }
        _ => {
            let (tool, schema) = pick(random, &TOOLS);
            (tool.as_str(), sample(schema, random))
        }
    };
    Some(format!("{tool}\n{arguments}"))
}
