use serde_json::{Map, Value, json};

/// Examples for the description, made from its own schemas so that they fit them: what a schema states as example or
/// default, else the least that fits.
pub(crate) struct Examples {
    /// By name.
    schemas: Value,
}

impl Examples {
    /// From the schemas of the description.
    pub(crate) const fn of(schemas: Value) -> Self {
        Self { schemas }
    }

    /// One value that fits; `None` where a schema says nothing.
    pub(crate) fn example(&self, schema: &Value) -> Option<Value> {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            return self.example(&self.schemas[name]);
        }
        if let Some(stated) = schema.get("example").or_else(|| schema.get("default")) {
            return Some(stated.clone());
        }
        if let Some(word) = schema["enum"].as_array().and_then(|words| words.first()) {
            return Some(word.clone());
        }
        if let Some(branches) = schema["oneOf"].as_array() {
            return branches.iter().find(|branch| branch["type"] != "null").and_then(|branch| self.example(branch));
        }
        Some(match kind(schema)? {
            "object" => Value::Object(self.members(schema)),
            "array" => Value::Array(self.example(&schema["items"]).into_iter().collect()),
            "string" => Value::String(text(schema)),
            "integer" => schema.get("minimum").cloned().unwrap_or(json!(1)),
            "number" => schema.get("minimum").cloned().unwrap_or(json!(1.0)),
            "boolean" => json!(true),
            _ => return None,
        })
    }

    /// What is required, and what states an example.
    fn members(&self, schema: &Value) -> Map<String, Value> {
        let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        let properties = schema["properties"].as_object().into_iter().flatten();
        let shown = properties.filter(|(name, rule)| {
            rule.get("example").is_some() || required.iter().any(|other| other == name.as_str())
        });
        shown.filter_map(|(name, rule)| Some((name.clone(), self.example(rule)?))).collect()
    }
}

/// The type; of several, the first that is not null.
fn kind(schema: &Value) -> Option<&str> {
    let kinds = schema["type"].as_array().map_or_else(|| std::slice::from_ref(&schema["type"]), Vec::as_slice);
    kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null")
}

/// The first of a choice of words; a token; else a word.
fn text(schema: &Value) -> String {
    let pattern = schema["pattern"].as_str().unwrap_or_default();
    let words = pattern.strip_prefix("^(").and_then(|rest| rest.strip_suffix(")$"));
    match words.and_then(|words| words.split('|').next()) {
        Some(word) => word.to_owned(),
        None if pattern.is_empty() => "text".to_owned(),
        None => "abcdefghijklmnopqrstuvwxyz012345".to_owned(),
    }
}
