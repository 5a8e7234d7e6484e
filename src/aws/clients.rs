//! The SDK's clients, each with the settings for its use.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use tokio::sync::OnceCell;

use super::not_built::NotBuilt;
use super::s3::S3Bucket;
use super::ssm::Parameters;
use aws_sdk_sesv2::config::Builder as SesConfig;

/// The time to the first octet of an answer. S3 and SSM answer within a fraction of a second; a request that takes longer
/// is dead, and is made again. SES may take what the invocation has left: it gets up to 56 MB.
const ANSWER: Duration = Duration::from_secs(10);

/// Makes clients. The region and the credentials, which they share, are found once: in the environment, which is all that
/// Lambda has, or in the profile.
#[derive(Debug, Default)]
pub struct Clients(OnceCell<SdkConfig>);

#[allow(clippy::missing_errors_doc, clippy::unnecessary_wraps)] // A build without AWS fails here.
impl Clients {
    async fn config(&self) -> &SdkConfig {
        let load = || aws_config::defaults(BehaviorVersion::v2026_01_12()).load();
        self.0.get_or_init(load).await
    }

    fn timeouts() -> TimeoutConfig {
        TimeoutConfig::builder().read_timeout(ANSWER).build()
    }

    /// A bucket of this name.
    pub async fn bucket(&self, name: &str) -> Result<S3Bucket, NotBuilt> {
        let config = aws_sdk_s3::config::Builder::from(self.config().await);
        let client = aws_sdk_s3::Client::from_conf(config.timeout_config(Self::timeouts()).build());
        Ok(S3Bucket::new(client, name.to_owned()))
    }

    /// The parameter of this name, or the path.
    pub async fn parameters(&self, name: &str) -> Result<Parameters, NotBuilt> {
        let config = aws_sdk_ssm::config::Builder::from(self.config().await);
        let client = aws_sdk_ssm::Client::from_conf(config.timeout_config(Self::timeouts()).build());
        Ok(Parameters::new(client, name.to_owned()))
    }

    /// The settings for a client of SES, which the outbox completes.
    pub async fn ses(&self) -> Result<SesConfig, NotBuilt> {
        Ok(SesConfig::from(self.config().await))
    }
}
