//! By which address a caller is counted: the connection's own, or the one that a proxy of the shop's names.
//!
//! It is for limits only. Whether cookies are `Secure`, and which origin is this server's, is never read from a header.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request};
use ipnet::IpNet;
use tower_governor::GovernorError;
use tower_governor::key_extractor::KeyExtractor;

use super::App;
use super::error::{Error, Result};

/// The proxies whose `X-Forwarded-For` is believed; from anybody else it is ignored.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Arc<[IpNet]>);

impl Proxies {
    /// Those of these networks.
    pub fn new(networks: &[IpNet]) -> Self {
        Self(networks.into())
    }

    /// The last address that none of them has: what stands before it anybody can have written.
    fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer.to_canonical();
        let named = headers.get_all("x-forwarded-for").iter().rev();
        let mut named = named.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
        while self.0.iter().any(|network| network.contains(&nearest)) {
            let Some(address) = named.next().and_then(address) else {
                break;
            };
            nearest = address;
        }
        one_customers(nearest)
    }
}

/// An address as proxies write it, some with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse().map(|address: SocketAddr| address.ip());
    let found = text.parse().or_else(|_| with_port()).ok()?;
    Some(IpAddr::to_canonical(&found))
}

/// Of IPv6 the network: one customer has a whole one, and could otherwise be somebody new with each request.
fn one_customers(address: IpAddr) -> IpAddr {
    const NETWORK: u128 = !(u64::MAX as u128);
    match address {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
        IpAddr::V4(_) => address,
    }
}

impl KeyExtractor for Proxies {
    type Key = IpAddr;

    fn extract<T>(&self, request: &Request<T>) -> Result<IpAddr, GovernorError> {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let ConnectInfo(peer) = peer.ok_or(GovernorError::UnableToExtractKey)?;
        Ok(self.caller(peer.ip(), request.headers()))
    }
}

/// The address by which whoever asks is counted.
#[derive(Clone, Copy, Debug)]
pub struct CallerAddress(pub IpAddr);

impl FromRequestParts<Arc<App>> for CallerAddress {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let ConnectInfo(peer) = peer.ok_or_else(|| Error::internal("the connection's address is not known"))?;
        Ok(Self(app.proxies.caller(peer.ip(), &parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(peer: &str, named: &[&'static str], expected: &str) {
        let proxies = ["10.0.0.0/8", "192.0.2.7/32", "2001:db8:ffff::/48"].map(|text| text.parse().expect("a network"));
        let mut headers = HeaderMap::new();
        for value in named {
            headers.append("x-forwarded-for", HeaderValue::from_static(value));
        }
        let found = Proxies::new(&proxies).caller(peer.parse().expect("an address"), &headers);
        assert_eq!(found.to_string(), expected, "{peer} {named:?}");
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_what_it_saw_itself() {
        check("198.51.100.1", &["203.0.113.9"], "198.51.100.1");
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["203.0.113.9"], "203.0.113.9");
        check("::ffff:10.0.0.1", &["::ffff:203.0.113.9"], "203.0.113.9");
        check("10.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9");
        check("10.0.0.1", &["1.1.1.1", "203.0.113.9, 192.0.2.7"], "203.0.113.9");
        check("10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9");
        check("10.0.0.1", &["10.1.1.1, 10.0.0.2"], "10.1.1.1");
        check("10.0.0.1", &["1.1.1.1, unknown"], "10.0.0.1");
        check("10.0.0.1", &["1.1.1.1, unknown, 10.0.0.2"], "10.0.0.2");
    }

    #[test]
    fn an_ipv6_customer_is_counted_by_their_network() {
        check("2001:db8:1:2:3:4:5:6", &[], "2001:db8:1:2::");
        check("2001:db8:ffff::1", &["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::");
        check("2001:db8:ffff::1", &["[2001:db8:1:2::9]:80"], "2001:db8:1:2::");
    }
}
