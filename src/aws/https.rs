//! HTTPS with rustls and ring. The SDK's own client would bring aws-lc, which is a good part of the function's size.

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

const PROVIDER: Provider = Provider::Rustls(CryptoMode::Ring);

/// A client with the system's roots and the environment's proxies, as the SDK's own.
pub(super) fn client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = Connector::builder().tls_provider(PROVIDER);
        connector.set_connector_settings(settings.cloned());
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.build()
    })
}

/// A client that trusts these roots alone, in PEM, and asks no proxy.
pub(super) fn client_with_roots(roots: &'static [u8]) -> SharedHttpClient {
    let context = TlsContext::builder().with_trust_store(TrustStore::empty().with_pem_certificate(roots));
    Builder::new()
        .tls_provider(PROVIDER)
        .tls_context(context.build().expect("nothing in it can be wrong"))
        .build_https()
}

/// What single requests are sent with, with the system's roots.
pub(super) fn connector() -> Connector {
    Connector::builder().tls_provider(PROVIDER).build()
}
