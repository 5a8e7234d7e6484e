//! The SDK's clients, each with the settings for its use.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_s3::config::RequestChecksumCalculation;
use tokio::sync::OnceCell;

use super::call::Caller;
use super::lambda::Function;
use super::not_built::NotBuilt;
use super::of_function;
use super::one_bucket::OneBucket;
use super::s3::S3Bucket;
use super::signed::{Place, domain_of, region_of};
use super::sqs::Queue;
use super::ssm::Parameters;
use aws_sdk_sesv2::config::Builder as SesConfig;

/// The time to the first octet of an answer. S3 and SSM answer within a fraction of a second; a request that takes longer
/// is dead, and is made again. SES may take what the invocation has left: it gets up to 56 MB.
const ANSWER: Duration = Duration::from_secs(10);

/// The configuration of every client: the region and the credentials of the environment or the profile.
pub(crate) async fn shared_config() -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
    of_function::configure(loader, &|name| std::env::var(name).ok())
        .load()
        .await
}

/// Makes clients. The region and the credentials, which they share, are found once: in the environment, which is all that
/// Lambda has, or in the profile.
#[derive(Debug, Default)]
pub struct Clients(OnceCell<SdkConfig>);

#[allow(clippy::missing_errors_doc, clippy::unnecessary_wraps)] // A build without AWS fails here.
impl Clients {
    async fn config(&self) -> &SdkConfig {
        self.0.get_or_init(shared_config).await
    }

    fn timeouts() -> TimeoutConfig {
        TimeoutConfig::builder().read_timeout(ANSWER).build()
    }

    /// A bucket of this name.
    pub async fn bucket(&self, name: &str) -> Result<S3Bucket, NotBuilt> {
        let config = aws_sdk_s3::config::Builder::from(self.config().await)
            .timeout_config(Self::timeouts())
            .endpoint_resolver(OneBucket::default())
            // The signature covers the hash of what is written: a second checksum finds nothing more.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        let client = aws_sdk_s3::Client::from_conf(config.build());
        Ok(S3Bucket::new(client, name.to_owned()))
    }

    /// The parameter of this name, or the path.
    pub async fn parameters(&self, name: &str) -> Result<Parameters, NotBuilt> {
        let config = aws_sdk_ssm::config::Builder::from(self.config().await);
        let client = aws_sdk_ssm::Client::from_conf(config.timeout_config(Self::timeouts()).build());
        Ok(Parameters::new(client, name.to_owned()))
    }

    /// The function of this name.
    ///
    /// # Errors
    /// If no region is set.
    pub async fn function(&self, name: &str) -> Result<Function, String> {
        let config = self.config().await;
        // arn:aws:lambda:eu-west-1:123456789012:function:readdress
        let region = name.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(2));
        let region = region.map_or_else(|| region_of(config), |region| Ok(region.to_owned()))?;
        let endpoint = std::env::var("AWS_ENDPOINT_URL_LAMBDA").ok();
        let endpoint = endpoint.or_else(|| config.endpoint_url().map(str::to_owned));
        let endpoint = endpoint.unwrap_or_else(|| format!("https://lambda.{region}.{}", domain_of(&region)));
        let place = Place {
            service: "lambda",
            region,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
        };
        Ok(Function::new(Caller::new(config, place), name))
    }

    /// The queue of this URL.
    ///
    /// # Errors
    /// If it is not a URL of a queue, or no region is set.
    pub async fn queue(&self, url: &str) -> Result<Queue, String> {
        let config = self.config().await;
        let host = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        let host = host.and_then(|rest| rest.split_once('/')).map(|(host, _)| host);
        let host = host.ok_or("write the queue's URL, https://sqs.REGION.amazonaws.com/ACCOUNT/NAME")?;
        // sqs.eu-west-1.amazonaws.com
        let region = host.strip_prefix("sqs.").and_then(|rest| rest.split('.').next());
        let region = region.map_or_else(|| region_of(config), |region| Ok(region.to_owned()))?;
        let place = Place {
            service: "sqs",
            region,
            endpoint: url[..url.find(host).unwrap_or_default() + host.len()].to_owned(),
        };
        Ok(Queue::new(Caller::new(config, place), url.to_owned()))
    }

    /// The settings for a client of SES, which the outbox completes.
    pub async fn ses(&self) -> Result<SesConfig, NotBuilt> {
        Ok(SesConfig::from(self.config().await))
    }
}
