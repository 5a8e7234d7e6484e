//! SSM's Parameter Store: alias maps.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ssm::types::Parameter;

use super::failure::Request;
use crate::alias::{SSM_ADVANCED, SSM_STANDARD};
use crate::cause::{Cause, StorageError};

/// Its owner is warned of a parameter that is so many tenths full: the next aliases may not fit.
const WARN_AT_TENTHS: usize = 9;

/// The most parameters of a path. SSM returns ten a request; a path with more has another use.
const MAX_PARAMETERS: usize = 500;

/// What those are told who may not read a parameter.
const MAY_NOT_READ: &str = "it may not be read (ssm:GetParameter, ssm:GetParametersByPath for a path, and kms:Decrypt for a \
                            key of its own)";

/// One parameter, or all parameters of a path.
#[derive(Clone, Debug)]
pub struct Parameters {
    client: Client,
    name: String,
}

impl Parameters {
    /// The parameter of this name or, if that ends in `/`, all parameters whose names begin so.
    pub fn new(client: Client, name: String) -> Self {
        Parameters { client, name }
    }

    /// The name of the parameter, or the path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The values, decrypted where they are encrypted; those of a path by their names.
    ///
    /// # Errors
    /// Why SSM does not return one.
    pub async fn read(&self) -> Result<Vec<Vec<u8>>, StorageError> {
        let parameters = match self.name.strip_suffix('/') {
            None => self.read_one().await?,
            Some(path) => self.read_path(path).await?,
        };
        if parameters.is_empty() {
            let reason = "there is no parameter of this name, or below this path, in this region and account";
            return Err(StorageError::new(Cause::NotFound, reason));
        }
        let mut texts = Vec::with_capacity(parameters.len());
        for (name, value) in parameters {
            warn_of_size(&name, value.len());
            texts.push(value.into_bytes());
        }
        Ok(texts)
    }

    async fn read_one(&self) -> Result<Vec<(String, String)>, StorageError> {
        let get = self
            .client
            .get_parameter()
            .name(&self.name)
            .with_decryption(true)
            .send();
        let answer = get.await.map_err(|error| self.explain(&error))?;
        Ok(answer.parameter.into_iter().filter_map(pair).collect())
    }

    async fn read_path(&self, path: &str) -> Result<Vec<(String, String)>, StorageError> {
        let mut pages = self
            .client
            .get_parameters_by_path()
            // The path / itself is all that is left of it.
            .path(if path.is_empty() { "/" } else { path })
            .recursive(true)
            .with_decryption(true)
            .into_paginator()
            .send();
        let mut parameters = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.explain(&error))?;
            parameters.extend(page.parameters.into_iter().flatten().filter_map(pair));
            if parameters.len() > MAX_PARAMETERS {
                let reason = format!("the path has more than {MAX_PARAMETERS} parameters");
                return Err(StorageError::new(Cause::Configuration, reason));
            }
        }
        // SSM promises no order, and where two have the same alias the later one counts.
        parameters.sort();
        Ok(parameters)
    }

    fn explain<E>(&self, error: &SdkError<E>) -> StorageError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let request = Request {
            service: "SSM",
            has_region: self.client.config().region().is_some(),
            if_denied: MAY_NOT_READ,
        };
        request.explain(error)
    }
}

fn pair(parameter: Parameter) -> Option<(String, String)> {
    Some((parameter.name.unwrap_or_default(), parameter.value?))
}

fn warn_of_size(name: &str, octets: usize) {
    let (holds, way_out) = if octets <= SSM_STANDARD {
        (SSM_STANDARD, "make it one of the advanced tier, which holds 8 KB")
    } else {
        (
            SSM_ADVANCED,
            "spread the map over several parameters of a path (ALIAS_MAP_PARAM with / at its end), or keep it in S3",
        )
    };
    if octets * 10 > holds * WARN_AT_TENTHS {
        tracing::warn!(
            parameter = name,
            octets,
            holds,
            "the alias map will soon not fit in its parameter: {way_out}"
        );
    }
}
