//! The JSON-RPC entry: any body, through the whole worker.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postern_fuzz::{answered, with_world};

fuzz_target!(|body: &[u8]| {
    with_world(|world| {
        let body = match std::str::from_utf8(body) {
            Ok(text) => world.fill_in(text).into_bytes(),
            Err(_) => body.to_vec(),
        };
        answered(world, world.request(body));
    });
});
