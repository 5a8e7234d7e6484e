//! What the operator names: a function, settings, domains; or the outputs of a deployment, which name them all.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;

/// Where to look.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The function, whose environment holds the settings.
    pub function: Option<String>,
    /// Settings that take the place of the function's, by the names of their variables.
    pub settings: BTreeMap<String, String>,
    /// Domains besides those of the alias map and of the receipt rules.
    pub domains: Vec<String>,
    /// The receipt rule set that is to be active.
    pub rule_set: Option<String>,
    /// The name server to ask in place of the system's resolver.
    pub name_server: Option<SocketAddr>,
}

impl Inputs {
    /// Takes over what the outputs of the Terraform module name, as `terraform output -json` writes them: at the top, or one
    /// level down where the whole module is an output. What is named already stays.
    ///
    /// # Errors
    /// If the text is not such a file, or names no function.
    pub fn add_outputs(&mut self, json: &[u8]) -> Result<(), String> {
        let outputs: Value =
            serde_json::from_slice(json).map_err(|error| format!("it is not JSON: {error}"))?;
        let outputs = outputs.as_object().ok_or("it is not a JSON object of outputs")?;
        let values = || {
            outputs
                .values()
                .map(|output| output.get("value").unwrap_or(output))
        };
        let named = |name: &str| {
            let here = outputs
                .get(name)
                .map(|output| output.get("value").unwrap_or(output));
            here.or_else(|| values().find_map(|value| value.get(name)))
        };
        let text = |name: &str| named(name).and_then(Value::as_str).map(str::to_owned);
        let Some(function) = text("function_name") else {
            return Err(
                "no output is named function_name: make the whole module an output, as in \
                 output \"aliases\" { value = module.aliases }"
                    .to_owned(),
            );
        };
        self.function.get_or_insert(function);
        if let Some(set) = text("rule_set_name") {
            self.rule_set.get_or_insert(set);
        }
        let identities = named("identities")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        self.domains
            .extend(identities.filter_map(Value::as_str).map(str::to_owned));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: &str = r#"{"function_name": {"value": "readdress", "type": "string"},
        "rule_set_name": {"value": "readdress"}, "identities": {"value": ["example.com"]}}"#;
    const NESTED: &str = r#"{"zone": {"value": "Z1"}, "aliases": {"value": {"function_name": "readdress",
        "rule_set_name": "readdress", "identities": ["example.com"]}}}"#;

    /// Catches outputs that are found in one of the two places only, and a flag that an output overrides.
    #[test]
    fn outputs_of_terraform() {
        for json in [TOP, NESTED] {
            let mut inputs = Inputs {
                rule_set: Some("mine".to_owned()),
                ..Inputs::default()
            };
            inputs.add_outputs(json.as_bytes()).unwrap();
            assert_eq!(inputs.function.as_deref(), Some("readdress"));
            assert_eq!(inputs.rule_set.as_deref(), Some("mine"));
            assert_eq!(inputs.domains, ["example.com"]);
        }
        assert!(
            Inputs::default()
                .add_outputs(b"{}")
                .unwrap_err()
                .contains("module.aliases")
        );
    }
}
