//! Makes the pipeline that the settings describe.

use crate::alias_key::{KeyCache, KeyStore};
use crate::alias_store::{AliasCache, AliasStore};
use crate::aws::{Clients, NotBuilt, SuppressionList};
use crate::bucket::Bucket;
use crate::config::{BucketPlace, KeyPlace, MapPlace, OutboxPlace, Places, SettingError, Settings};
#[cfg(feature = "cli")]
use crate::forward::Explainer;
use crate::forward::{Forwarder, Inbox};
use crate::ledger::Pages;
use crate::outbox::{Outbox, SesOutbox, remove_abandoned_drafts};

/// The pipeline that the settings describe. No service is asked for anything yet; a directory for the outbox is cleared of
/// what interrupted runs have left half written.
///
/// # Errors
/// If a setting names a service of AWS and this build has none (feature `aws`).
pub async fn connect(settings: &Settings) -> Result<Forwarder, SettingError> {
    let clients = Clients::default();
    let bucket = connect_bucket(&clients, &settings.email_bucket).await?;
    let outbox = match &settings.outbox {
        OutboxPlace::Directory(path) => {
            remove_abandoned_drafts(path);
            Outbox::Directory(path.clone())
        }
        OutboxPlace::Ses => {
            let config = clients.ses().await.map_err(in_setting("OUTBOX"))?;
            Outbox::Ses(SesOutbox::new(config, settings.ses.clone()))
        }
    };
    let store = connect_aliases(&clients, &settings.alias_map).await?;
    let aliases = AliasCache::new(store, settings.alias_map_ttl);
    let forwarder = Forwarder::new(aliases, bucket, outbox, settings);
    Ok(match connect_key_cache(&clients, settings).await? {
        Some(key) => forwarder.with_key(key),
        None => forwarder,
    })
}

/// The pipeline without an outbox: it says what it would do.
///
/// # Errors
/// As [`connect`].
#[cfg(feature = "cli")]
pub async fn explainer(settings: &Settings) -> Result<Explainer, SettingError> {
    let clients = Clients::default();
    let bucket = connect_bucket(&clients, &settings.email_bucket).await?;
    let store = connect_aliases(&clients, &settings.alias_map).await?;
    let aliases = AliasCache::new(store, settings.alias_map_ttl);
    let explainer = Explainer::new(aliases, bucket, settings);
    Ok(match connect_key_cache(&clients, settings).await? {
        Some(key) => explainer.with_key(key),
        None => explainer,
    })
}

/// The stored messages and the pages of their ledger, for a command that only looks. `None`: there is no ledger.
///
/// # Errors
/// As [`connect`].
pub async fn stored(places: &Places) -> Result<(Inbox, Option<Pages>), SettingError> {
    let bucket = connect_bucket(&Clients::default(), &places.email_bucket).await?;
    let pages = places.ledger.as_deref();
    let outbox = match &places.outbox {
        OutboxPlace::Directory(outbox) => Some(outbox.as_path()),
        OutboxPlace::Ses => None,
    };
    let pages = pages.map(|prefix| Pages::of(&bucket, outbox, prefix));
    Ok((Inbox::new(bucket, places.email_prefix.clone()), pages))
}

async fn connect_bucket(clients: &Clients, place: &BucketPlace) -> Result<Bucket, SettingError> {
    let error = in_setting("EMAIL_BUCKET");
    Ok(match place {
        BucketPlace::Directory(path) => Bucket::Directory(path.clone()),
        BucketPlace::S3(name) => Bucket::S3(clients.bucket(name).await.map_err(error)?),
    })
}

/// The alias map alone.
///
/// # Errors
/// As [`connect`].
pub async fn alias_store(place: &MapPlace) -> Result<AliasStore, SettingError> {
    connect_aliases(&Clients::default(), place).await
}

/// The alias key alone.
///
/// # Errors
/// As [`connect`].
pub async fn key_store(place: &KeyPlace) -> Result<KeyStore, SettingError> {
    connect_key(&Clients::default(), place).await
}

async fn connect_key_cache(clients: &Clients, settings: &Settings) -> Result<Option<KeyCache>, SettingError> {
    let Some(place) = &settings.alias_key else {
        return Ok(None);
    };
    let store = connect_key(clients, place).await?;
    Ok(Some(KeyCache::new(store, settings.alias_map_ttl)))
}

async fn connect_key(clients: &Clients, place: &KeyPlace) -> Result<KeyStore, SettingError> {
    Ok(match place {
        KeyPlace::File(path) => KeyStore::File(path.clone()),
        KeyPlace::Parameter(name) => {
            let parameters = clients.parameters(name).await;
            KeyStore::Ssm(parameters.map_err(in_setting("ALIAS_KEY_PARAM"))?)
        }
    })
}

/// The suppression list of the account whose credentials are in the environment or the profile.
///
/// # Errors
/// If this build has no AWS services (feature `aws`).
pub async fn suppression_list() -> Result<SuppressionList, NotBuilt> {
    Clients::default().ses().await.map(SuppressionList::new)
}

async fn connect_aliases(clients: &Clients, place: &MapPlace) -> Result<AliasStore, SettingError> {
    let error = in_setting("ALIAS_MAP_PARAM");
    Ok(match place {
        MapPlace::File(path) => AliasStore::File(path.clone()),
        MapPlace::Parameter(name) => AliasStore::Ssm(clients.parameters(name).await.map_err(error)?),
        MapPlace::Object { bucket, key } => AliasStore::S3 {
            bucket: clients.bucket(bucket).await.map_err(error)?,
            key: key.clone(),
        },
    })
}

fn in_setting(name: &'static str) -> impl Fn(NotBuilt) -> SettingError {
    move |error| SettingError::new(name, error.to_string())
}
