//! Which addresses are fetched at all.

use std::rc::Rc;

use postern::{
    http::{Address, FetchFault, Forbidden, GuardedClient},
    platform::{Config, HttpFault, ResponseSink},
};

use crate::sim::{Incoming, Reply, Sim, config_from, local_config, local_settings, run};

fn production() -> Config {
    let mut settings = local_settings();
    settings[0].1 = "https://mcp.example.com".to_owned();
    settings[1].1 = "https://wall.example.com".to_owned();
    settings.push(("OUTGOING_PORTS", "8443".to_owned()));
    config_from(&settings).unwrap_or_else(|_| panic!("good settings"))
}

fn forbidden(address: &str, config: &Config) -> Option<Forbidden> {
    Address::parse(address, config).err()
}

#[test]
fn public_addresses_are_fetched() {
    let config = production();
    for address in [
        "https://example.org/a?b#c",
        "https://EXAMPLE.org:443/",
        "https://example.org.:8443/",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]/",
        "https://[::ffff:1.1.1.1]/",
        "https://bücher.example/",
        "https://example.com/",
        "https://local.example/",
    ] {
        assert_eq!(forbidden(address, &config), None, "{address}");
    }
    // The neighbours of what is reserved.
    for host in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "99.64.0.1",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "191.0.0.1",
        "191.88.99.1",
        "192.0.1.0",
        "192.1.0.1",
        "192.88.98.1",
        "192.87.99.1",
        "197.18.0.1",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "[2000::1]",
        "[2001:200::1]",
        "[2001:db7::1]",
        "[2002:101:101::1]",
        "[2003:db8::1]",
        "[2003::1]",
        "[3fef::1]",
        "[::1.1.1.1]",
        "[64:ff9b::1.1.1.1]",
    ] {
        assert_eq!(forbidden(&format!("https://{host}/"), &config), None, "{host}");
    }
}

#[test]
fn hosts_that_are_not_public_are_not_fetched() {
    let config = production();
    for host in [
        // Loopback, in every spelling that a browser takes.
        "127.0.0.1",
        "127.1",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "127.0.0.1.",
        "１２７.0.0.1",
        "0",
        "0.0.0.0",
        // Networks of one's own, and what is reserved.
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.127.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        // The same in IPv6, and IPv4 inside it: mapped, compatible, translated, NAT64, 6to4.
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd12::1]",
        "[ff02::1]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[2001::1]",
        "[2001:1ff::1]",
        "[1fff::1]",
        "[4000::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a00:1]",
        "[::127.0.0.1]",
        "[::ffff:0:10.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b:1::a00:1]",
        "[2002:7f00:1::]",
        "[2002:a00:1::1]",
        // Names that only resolve inside somebody's network.
        "localhost",
        "localhost.",
        "app.localhost",
        "intranet",
        "printer.local",
        "db.internal",
        "x.lan",
        "x.home.arpa",
        // Ourselves.
        "mcp.example.com",
        "MCP.example.com",
        "mcp.example.com.",
        "wall.example.com",
        "wall.example.com:8443",
    ] {
        assert_eq!(forbidden(&format!("https://{host}/"), &config), Some(Forbidden::Host), "{host}");
    }
}

#[test]
fn only_https_on_listed_ports_is_fetched() {
    let config = production();
    for address in [
        "http://example.org/",
        "https://example.org:444/",
        "http://localhost/",
        "https://127.0.0.1:444/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "data:text/plain,x",
        "javascript:1",
    ] {
        assert_eq!(forbidden(address, &config), Some(Forbidden::SchemeOrPort), "{address}");
    }
    for address in [
        "https://user@example.org/",
        "https://user:pw@example.org/",
        "https://:pw@example.org/",
        "/path",
        "example.org",
        "",
        "https://",
    ] {
        assert_eq!(forbidden(address, &config), Some(Forbidden::Malformed), "{address}");
    }
}

#[test]
fn a_local_worker_fetches_loopback_but_not_itself() {
    let config = local_config();
    for address in
        ["http://127.0.0.1:2583/", "http://localhost:2583/", "https://localhost:2583/", "http://[::1]:1/"]
    {
        assert_eq!(forbidden(address, &config), None, "{address}");
    }
    for address in ["http://localhost:8790/x", "http://127.0.0.1:8790/x", "https://10.0.0.1/"] {
        assert_eq!(forbidden(address, &config), Some(Forbidden::Host), "{address}");
    }
    for address in ["http://10.0.0.1/", "ftp://localhost/", "ws://127.0.0.1:2583/"] {
        assert_eq!(forbidden(address, &config), Some(Forbidden::SchemeOrPort), "{address}");
    }
}

fn get(address: &str, web: fn(&Incoming) -> Result<Reply, HttpFault>) -> (Sim, Result<String, FetchFault>) {
    let sim = Sim::new(1);
    sim.web.set_peer(Rc::new(web));
    let client = GuardedClient::new(&sim.web, &sim.config);
    let fetched = run(client.get(address, ResponseSink::Memory { limit: 100 }, 1000));
    let answer = fetched.map(|fetched| {
        let body = String::from_utf8(fetched.response.body).unwrap();
        format!("{} {body}", fetched.address.as_str())
    });
    (sim, answer)
}

#[test]
fn redirects_are_followed_and_checked_one_by_one() {
    let (sim, answer) = get("https://a.example/one", |request| match request.url.as_str() {
        "https://a.example/one" => Ok(Reply::redirect(302, "/two")),
        "https://a.example/two" => Ok(Reply::redirect(307, "https://b.example/three")),
        _ => Ok(Reply::of(200, "text/plain", b"here".to_vec())),
    });
    assert_eq!(answer.as_deref(), Ok("https://b.example/three here"));
    assert!(sim.web.requests().iter().all(|request| request.headers.is_empty()));

    let (sim, answer) =
        get("https://a.example/", |_| Ok(Reply::redirect(302, "https://169.254.169.254/latest")));
    assert_eq!(answer, Err(FetchFault::Forbidden(Forbidden::Host)));
    assert_eq!(sim.web.requests().len(), 1, "the forbidden address was not asked");

    let (sim, answer) = get("https://a.example/", |_| Ok(Reply::redirect(302, "/")));
    assert_eq!(answer, Err(FetchFault::Redirects));
    assert_eq!(sim.web.requests().len(), 5);
}
