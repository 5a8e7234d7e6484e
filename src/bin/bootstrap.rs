//! The Lambda function, for the runtime `provided.al2023`.

use std::env;
use std::process::ExitCode;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing::{Instrument, Level};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

use readdress::config::Settings;
use readdress::executor::block_on;
use readdress::function::{Function, InvocationError};

fn main() -> ExitCode {
    if env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        eprintln!("bootstrap is what AWS Lambda runs; on a command line use: readdress forward");
        return ExitCode::from(2);
    }
    log();
    match block_on(run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function ends");
            ExitCode::FAILURE
        }
    }
}

/// Logs JSON with `timestamp` and `level`, by which Lambda filters. Of other crates only warnings and errors are logged: the
/// SDK would print mail.
fn log() {
    let level = env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default();
    let level = match level.as_str() {
        "TRACE" | "DEBUG" => Level::DEBUG,
        "WARN" => Level::WARN,
        "ERROR" | "FATAL" => Level::ERROR,
        _ => Level::INFO,
    };
    let targets = Targets::new()
        .with_default(level.min(Level::WARN))
        .with_targets([("readdress", level), ("bootstrap", level)]);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_span_list(false);
    tracing_subscriber::registry()
        .with(lines.with_filter(targets))
        .init();
}

async fn run() -> Result<(), Error> {
    let function = function().await;
    if let Err(error) = &function {
        // The function goes on: each invocation fails with this reason, which so gets to the on-failure destination.
        tracing::error!(%error, "the function cannot work");
    }
    let function = &function;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let span = tracing::info_span!("invocation", request_id = event.context.request_id);
        // Boxed: a future is as large as all that it may wait for.
        let forward = Box::pin(async move {
            let function = function.as_ref().map_err(InvocationError::clone)?;
            function.invoke(&event.payload, event.context.deadline).await
        });
        forward.instrument(span)
    }))
    .await
}

async fn function() -> Result<Function, InvocationError> {
    let settings = Settings::read(&|name| env::var(name).ok())?;
    let name = env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default();
    Ok(Function::new(&settings, name).await?)
}
