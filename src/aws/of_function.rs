//! What the SDK's clients need not look for in the function, since Lambda says where it is: what a cold start would do again
//! and again.

use aws_config::ConfigLoader;
use aws_config::environment::EnvironmentVariableCredentialsProvider;

use super::https;

/// The roots of Amazon Trust Services, by which all that AWS has in its usual regions is certified: Amazon Root CA 1 to 4,
/// and Starfield Services Root Certificate Authority - G2. The first of them ends in December 2037. The SDK reads the
/// system's instead, some 140, once for each client.
const ROOTS: &[u8] = include_bytes!("roots.pem");

/// Whoever sets one of these has another root in mind, or a proxy that may.
const OTHER_ROOTS: [&str; 4] = ["SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy"];

/// Whoever sets one of these to a host of their own may have certified it themselves.
const ENDPOINTS: [&str; 4] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_SESV2",
    "AWS_ENDPOINT_URL_SSM",
];

/// Partitions of AWS that others certify, by the beginning of their regions.
const OTHER_PARTITIONS: [&str; 4] = ["cn-", "eusc-", "eu-iso", "us-iso"];

type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Gives the loader an HTTP client, and tells it what is known. Outside of Lambda that is nothing.
pub(super) fn configure(loader: ConfigLoader, env: Environment<'_>) -> ConfigLoader {
    if env("AWS_LAMBDA_RUNTIME_API").is_none() {
        return loader.http_client(https::client());
    }
    let client = if trusts_amazon_alone(env) {
        https::client_with_roots(ROOTS)
    } else {
        https::client()
    };
    let loader = loader.http_client(client);
    // Else the SDK makes a client of STS, for a web identity, and asks the environment in the end.
    if env("AWS_ACCESS_KEY_ID").is_some() {
        return loader.credentials_provider(EnvironmentVariableCredentialsProvider::new());
    }
    loader
}

fn trusts_amazon_alone(env: Environment<'_>) -> bool {
    let region = env("AWS_REGION").unwrap_or_default();
    let is_usual = !OTHER_PARTITIONS.iter().any(|begin| region.starts_with(begin));
    let has_own_endpoint = || {
        let mut endpoints = ENDPOINTS.iter().filter_map(|name| env(name));
        endpoints.any(|endpoint| endpoint.starts_with("https:"))
    };
    is_usual && OTHER_ROOTS.iter().all(|name| env(name).is_none()) && !has_own_endpoint()
}

#[cfg(test)]
mod tests {
    use aws_config::BehaviorVersion;

    use super::*;
    use crate::executor::block_on;

    fn trusts(set: &[(&str, &str)]) -> bool {
        let known = [
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
            ("AWS_REGION", "eu-west-1"),
        ];
        let env = |name: &str| {
            let mut all = set.iter().chain(&known);
            all.find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        trusts_amazon_alone(&env)
    }

    /// Catches a function that trusts too few: behind a proxy, in another partition, or at an emulator.
    #[test]
    fn others_are_trusted_where_the_owner_or_the_region_has_others() {
        assert!(trusts(&[]));
        assert!(trusts(&[("AWS_REGION", "us-gov-west-1")]));
        assert!(trusts(&[("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:4566")]));
        for (name, value) in [
            ("AWS_REGION", "cn-north-1"),
            ("AWS_REGION", "eusc-de-east-1"),
            ("SSL_CERT_FILE", "/etc/pki/tls/certs/ca-bundle.crt"),
            ("HTTPS_PROXY", "http://proxy.example.com:3128"),
            ("AWS_ENDPOINT_URL", "https://emulator.example.com"),
            ("AWS_ENDPOINT_URL_SSM", "https://emulator.example.com"),
        ] {
            assert!(!trusts(&[(name, value)]), "{name}");
        }
    }

    /// Catches roots that rustls cannot read: the SDK panics over them when a client is made.
    #[test]
    fn the_roots_are_certificates() {
        let certificates = ROOTS.windows(11).filter(|window| window == b"-----BEGIN ");
        assert_eq!(certificates.count(), 5);
        let loader =
            aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(https::client_with_roots(ROOTS));
        let config = block_on(loader.region("eu-west-1").no_credentials().load());
        let _ = aws_sdk_s3::Client::new(&config);
    }
}
