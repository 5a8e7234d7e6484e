//! From the settings to what they name: the pipeline and the alias map.

#[cfg(feature = "aws")]
use aws::Clients;

use crate::alias_source::{AliasSource, MapStore};
use crate::bucket::Bucket;
use crate::config::{BucketPlace, MapPlace, OutboxPlace, SettingError, Settings};
use crate::forward::Forwarder;
use crate::outbox::Outbox;
#[cfg(feature = "aws")]
use crate::{s3::S3Bucket, ses::SesOutbox, ssm::Parameters};

/// The pipeline and the alias map that the settings name. Nothing is asked of a service yet.
///
/// # Errors
/// If a setting names a service of AWS, and this build knows none (feature `aws`).
pub async fn connect(settings: &Settings) -> Result<(Forwarder, AliasSource), SettingError> {
    let clients = Clients::new();
    let bucket = match &settings.email_bucket {
        BucketPlace::Directory(path) => Bucket::Directory(path.clone()),
        BucketPlace::S3(name) => clients.bucket(name).await?,
    };
    let outbox = match &settings.outbox {
        OutboxPlace::Directory(path) => Outbox::Directory(path.clone()),
        OutboxPlace::Ses => clients.ses(settings).await?,
    };
    let store = clients.map_store(&settings.alias_map).await?;
    Ok((
        Forwarder::new(bucket, outbox, settings),
        AliasSource::new(store, settings.alias_map_ttl),
    ))
}

/// Where the alias map is, alone.
///
/// # Errors
/// As [`connect`].
pub async fn map_store(place: &MapPlace) -> Result<MapStore, SettingError> {
    Clients::new().map_store(place).await
}

#[cfg(feature = "aws")]
impl Clients {
    async fn bucket(&self, name: &str) -> Result<Bucket, SettingError> {
        Ok(Bucket::S3(S3Bucket::new(self.s3().await, name.to_owned())))
    }

    async fn ses(&self, settings: &Settings) -> Result<Outbox, SettingError> {
        let outbox = SesOutbox::new(self.sesv2().await, settings.ses.clone());
        Ok(Outbox::Ses(outbox))
    }

    async fn map_store(&self, place: &MapPlace) -> Result<MapStore, SettingError> {
        Ok(match place {
            MapPlace::File(path) => MapStore::File(path.clone()),
            MapPlace::Parameter(name) => MapStore::Ssm(Parameters::new(self.ssm().await, name.clone())),
            MapPlace::Object { bucket, key } => MapStore::S3 {
                bucket: S3Bucket::new(self.s3().await, bucket.clone()),
                key: key.clone(),
            },
        })
    }
}

/// The clients of a build without any.
#[cfg(not(feature = "aws"))]
struct Clients;

#[cfg(not(feature = "aws"))]
#[allow(clippy::unused_self, clippy::unused_async)] // As in a build with them.
impl Clients {
    fn new() -> Self {
        Clients
    }

    async fn bucket(&self, _name: &str) -> Result<Bucket, SettingError> {
        Err(not_built("EMAIL_BUCKET"))
    }

    async fn ses(&self, _settings: &Settings) -> Result<Outbox, SettingError> {
        Err(not_built("OUTBOX"))
    }

    async fn map_store(&self, place: &MapPlace) -> Result<MapStore, SettingError> {
        match place {
            MapPlace::File(path) => Ok(MapStore::File(path.clone())),
            MapPlace::Parameter(_) | MapPlace::Object { .. } => Err(not_built("ALIAS_MAP_PARAM")),
        }
    }
}

#[cfg(not(feature = "aws"))]
fn not_built(name: &'static str) -> SettingError {
    let reason = "this build knows no service of AWS (feature aws); write file:PATH for one on this machine";
    SettingError {
        name,
        reason: reason.to_owned(),
    }
}

/// The clients of the SDK.
#[cfg(feature = "aws")]
mod aws {
    use std::time::Duration;

    use aws_config::{BehaviorVersion, SdkConfig};
    use aws_sdk_sesv2::config::retry::RetryConfig;
    use aws_sdk_sesv2::config::{StalledStreamProtectionConfig, timeout::TimeoutConfig};
    use tokio::sync::OnceCell;

    /// From the request to the first octet of the answer. S3 and SSM answer within a fraction of a second; what takes
    /// longer is dead, and is asked again. SES may take what the invocation has left: it gets up to 56 MB.
    const ANSWER: Duration = Duration::from_secs(10);

    /// Makes a client when it is asked for. What all share, region and credentials, is found once: in the environment,
    /// which is all that Lambda has, or in the profile.
    #[derive(Default)]
    pub(super) struct Clients(OnceCell<SdkConfig>);

    impl Clients {
        pub(super) fn new() -> Self {
            Self::default()
        }

        async fn config(&self) -> &SdkConfig {
            let load = || aws_config::defaults(BehaviorVersion::v2026_01_12()).load();
            self.0.get_or_init(load).await
        }

        fn timeouts() -> TimeoutConfig {
            TimeoutConfig::builder().read_timeout(ANSWER).build()
        }

        pub(super) async fn s3(&self) -> aws_sdk_s3::Client {
            let config = aws_sdk_s3::config::Builder::from(self.config().await);
            aws_sdk_s3::Client::from_conf(config.timeout_config(Self::timeouts()).build())
        }

        pub(super) async fn ssm(&self) -> aws_sdk_ssm::Client {
            let config = aws_sdk_ssm::config::Builder::from(self.config().await);
            aws_sdk_ssm::Client::from_conf(config.timeout_config(Self::timeouts()).build())
        }

        /// Retries are decided in [`ses`](crate::ses). A receiver may be slow: the protection against stalled streams
        /// took one for dead after 5 seconds, and sent again.
        pub(super) async fn sesv2(&self) -> aws_sdk_sesv2::Client {
            let config = aws_sdk_sesv2::config::Builder::from(self.config().await)
                .retry_config(RetryConfig::disabled())
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
            aws_sdk_sesv2::Client::from_conf(config.build())
        }
    }
}
