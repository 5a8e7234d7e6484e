//! The endpoint of a bucket, found once.

use std::sync::OnceLock;

use aws_sdk_s3::config::endpoint::{DefaultResolver, Endpoint, EndpointFuture, Params, ResolveEndpoint};

/// The SDK's rules, asked once for the one bucket that a client is for. The SDK itself keeps the last answer for the same
/// parameters; the key of the object is among these, though no rule asks for it, so that it went through some hundred rules
/// for each object, twice.
#[derive(Debug, Default)]
pub(super) struct OneBucket {
    rules: DefaultResolver,
    known: OnceLock<(String, Endpoint)>,
}

impl ResolveEndpoint for OneBucket {
    fn resolve_endpoint<'a>(&'a self, parameters: &'a Params) -> EndpointFuture<'a> {
        let bucket = parameters.bucket();
        if let Some((known, endpoint)) = self.known.get()
            && Some(known.as_str()) == bucket
        {
            return EndpointFuture::ready(Ok(endpoint.clone()));
        }
        EndpointFuture::new(async move {
            // By the trait: the resolver has a method of the same name, which is its own.
            let endpoint = ResolveEndpoint::resolve_endpoint(&self.rules, parameters).await?;
            if let Some(bucket) = bucket {
                let _ = self.known.set((bucket.to_owned(), endpoint.clone()));
            }
            Ok(endpoint)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::block_on;

    fn parameters(bucket: &str, key: &str) -> Params {
        let parameters = Params::builder().region("eu-west-1").bucket(bucket).key(key);
        parameters.build().expect("all that is required")
    }

    /// Catches an endpoint that is kept for another bucket, and one that differs from the rules'.
    #[test]
    fn an_endpoint_is_that_of_the_rules() {
        let (one, rules) = (OneBucket::default(), DefaultResolver::new());
        for (bucket, key) in [("mail", "a"), ("mail", "b"), ("maps", "a"), ("mail", "c")] {
            let parameters = parameters(bucket, key);
            let endpoint = block_on(ResolveEndpoint::resolve_endpoint(&one, &parameters)).unwrap();
            let expected = block_on(ResolveEndpoint::resolve_endpoint(&rules, &parameters)).unwrap();
            assert_eq!(endpoint.url(), expected.url());
            assert_eq!(endpoint, expected);
            assert!(endpoint.url().contains(bucket));
        }
    }
}
