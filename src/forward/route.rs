//! The way from a recipient to the targets of its mail.

use super::outcome::Ending;
use super::stop::Stop;
use crate::alias::{Closed, Date, Open, Options};
use crate::alias_store::CurrentMap;
use crate::deadline::since_1970;
use crate::header::mailbox::Address;
use crate::outbox::Cause;
use crate::signed::AliasKey;

/// An alias and where its mail goes.
#[derive(Debug, PartialEq)]
pub(super) struct Route<'a> {
    pub(super) alias: Address,
    pub(super) targets: Vec<Address>,
    pub(super) options: &'a Options,
}

/// Takes the recipient for an alias.
pub(super) fn recipient(text: &str, map: &CurrentMap) -> Result<Address, Stop> {
    match Address::parse(text) {
        Ok(alias) => Ok(alias.with_lower_case_domain()),
        Err(error) => {
            // No key can name it; at most a catch-all would have taken it.
            let domain = text.rsplit_once('@').map_or("", |(_, domain)| domain);
            if !map.aliases.catches_all(domain) {
                return Err(unknown(map));
            }
            let error = format!("the recipient is no address: {error}");
            Err(Stop::failed(Cause::Unreadable, error))
        }
    }
}

/// Finds where the mail of the alias goes.
pub(super) fn route<'a>(
    alias: Address,
    map: &'a CurrentMap,
    key: Option<&AliasKey>,
) -> Result<Route<'a>, Stop> {
    let resolved = map.aliases.resolve(&alias).ok_or_else(|| unknown(map))?;
    match resolved.open(&alias, today(), key) {
        Ok(Open { targets, options }) => Ok(Route {
            alias,
            targets,
            options,
        }),
        Err(Closed::Disabled) => Err(Stop::Ended(Ending::Disabled)),
        Err(Closed::Expired(_)) => Err(Stop::Ended(Ending::Expired)),
        Err(Closed::NotSigned) => Err(Stop::Ended(Ending::NoAlias)),
        Err(Closed::NoKey) => Err(Stop::failed(Cause::Configuration, NO_KEY)),
        Err(Closed::Broken(reason)) => {
            // The reason may repeat an address.
            tracing::debug!(reason, "a broken entry");
            let error =
                "the alias map's entry for this alias cannot be used; to see why: readdress aliases check";
            Err(Stop::failed(Cause::Configuration, error))
        }
    }
}

/// The route that an alias would have that is switched off or has expired, for its owner's answers. `None`: it ended in another way,
/// or leads nowhere.
pub(super) fn closed<'a>(alias: Address, map: &'a CurrentMap, stop: &Stop) -> Option<Route<'a>> {
    if !matches!(stop, Stop::Ended(Ending::Disabled | Ending::Expired)) {
        return None;
    }
    let entry = map.aliases.resolve(&alias)?.entry.ok()?;
    Some(Route {
        targets: entry.targets_of(&alias),
        alias,
        options: &entry.options,
    })
}

const NO_KEY: &str =
    "the alias is one of those that are signed, and there is no key to check it by: set ALIAS_KEY_PARAM";

fn today() -> Date {
    Date::from_unix_time(since_1970().as_secs())
}

/// The recipient is not in the map. If the map is stale, a newer one may know the recipient, so the outcome is not final.
fn unknown(map: &CurrentMap) -> Stop {
    match &map.outdated {
        None => Stop::Ended(Ending::NoAlias),
        Some(error) => Stop::failed(
            Cause::Unavailable,
            format!(
                "the recipient is not in the last good copy of the alias map, and a newer one could not be read: {error}"
            ),
        ),
    }
}

/// The alias without its tag: a hundred tags cost no more than one.
pub(super) fn untagged(alias: &Address) -> String {
    format!("{}@{}", alias.untagged_local(), alias.domain()).to_ascii_lowercase()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::alias::AliasMap;
    use crate::alias_store::ReadError;

    const MAP: &str = r#"{
        "shop@example.com": ["jane@example.net", "omar@example.net"],
        "off@example.com": {"enabled": false},
        "old@example.com": {"to": "jane@example.net", "until": "2020-01-31"},
        "broken@example.com": {"to": 7},
        "@catch.example": "zoe@example.net"
    }"#;

    pub(in crate::forward) fn map() -> CurrentMap {
        AliasMap::parse(MAP.as_bytes()).unwrap().into()
    }

    fn old_map() -> CurrentMap {
        let error = ReadError::NothingUsable("it".to_owned());
        CurrentMap {
            outdated: Some(error),
            ..map()
        }
    }

    pub(in crate::forward) fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    pub(in crate::forward) fn cause(stop: Stop) -> Cause {
        match stop {
            Stop::Failed { cause, error } => {
                assert!(!error.contains('@'), "{error}");
                cause
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_recipient_that_is_not_an_address_is_no_alias_but_where_all_are_caught() {
        assert_eq!(
            recipient("Shop@Example.COM", &map()),
            Ok(address("Shop@example.com"))
        );
        assert_eq!(
            recipient("a b@example.com", &map()),
            Err(Stop::Ended(Ending::NoAlias))
        );
        let caught = recipient("a b@catch.example", &map()).unwrap_err();
        assert_eq!(cause(caught), Cause::Unreadable);
    }

    #[test]
    fn a_route_has_targets() {
        let map = map();
        let to = |alias: &str| route(address(alias), &map, None);
        let route = to("shop+tag@example.com").unwrap();
        assert_eq!(
            route.targets,
            [address("jane@example.net"), address("omar@example.net")]
        );
        assert_eq!(to("off@example.com"), Err(Stop::Ended(Ending::Disabled)));
        assert_eq!(to("old@example.com"), Err(Stop::Ended(Ending::Expired)));
        assert_eq!(cause(to("broken@example.com").unwrap_err()), Cause::Configuration);
        assert_eq!(to("other@example.com"), Err(Stop::Ended(Ending::NoAlias)));
    }

    /// Catches mail that is dropped as unknown, while the map that knows the recipient cannot be read.
    #[test]
    fn an_old_map_that_does_not_know_a_recipient_decides_nothing() {
        let map = old_map();
        let unknown = route(address("other@example.com"), &map, None).unwrap_err();
        assert_eq!(cause(unknown), Cause::Unavailable);
        let unknown = recipient("a b@example.com", &map).unwrap_err();
        assert_eq!(cause(unknown), Cause::Unavailable);
        assert!(route(address("shop@example.com"), &map, None).is_ok());
    }
}
