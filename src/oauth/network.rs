//! Where a client calls from, no closer than people need to know it again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The network of an address: the first 24 bits of IPv4, the first 48 of IPv6. It tells a home from an office or a
/// provider, and not one machine from another. Nothing for what is no address.
pub(super) fn coarse_network(peer: &str) -> Option<String> {
    let address: IpAddr = peer.parse().ok()?;
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Some(format!("{}/24", Ipv4Addr::new(a, b, c, 0)))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            Some(format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)))
        }
    }
}
