//! Types of the API's description as types of GraphQL, and values from one to the other.

use std::collections::BTreeMap;

use async_graphql::dynamic::{
    Field, FieldFuture, FieldValue, InputObject, InputValue, Object, Scalar, SchemaBuilder, TypeRef,
};
use serde_json::{Map, Value};

/// Whole numbers beyond 32 bits: GraphQL's own `Int` ends at 2^31.
pub(crate) const LONG: &str = "Long";
/// What has no type of its own in GraphQL: a choice of shapes, a document.
pub(crate) const JSON: &str = "JSON";

/// The description's components, and what was made of them so far.
pub(crate) struct Described {
    components: Map<String, Value>,
    outputs: BTreeMap<String, Object>,
    inputs: BTreeMap<String, InputObject>,
}

/// A name that GraphQL takes: `privacy.mode` becomes `privacy_mode`.
pub(crate) fn name(of: &str) -> String {
    of.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

impl Described {
    pub(crate) fn new(components: Value) -> Self {
        let Value::Object(components) = components else { return Self::new(Value::Object(Map::new())) };
        Self { components, outputs: BTreeMap::new(), inputs: BTreeMap::new() }
    }

    /// Adds everything that was made to a schema.
    pub(crate) fn register(self, builder: SchemaBuilder) -> SchemaBuilder {
        let builder = [LONG, JSON].into_iter().fold(builder, |builder, scalar| builder.register(Scalar::new(scalar)));
        let builder = self.outputs.into_values().fold(builder, SchemaBuilder::register);
        self.inputs.into_values().fold(builder, SchemaBuilder::register)
    }

    /// Adds an object that the description has not.
    pub(crate) fn add_output(&mut self, object: Object) {
        self.outputs.insert(object.type_name().to_owned(), object);
    }

    /// The type of an answer that a schema describes.
    pub(crate) fn output(&mut self, schema: &Value) -> TypeRef {
        self.type_of(schema, Self::output_object)
    }

    /// The type of an argument that a schema describes.
    pub(crate) fn input(&mut self, schema: &Value) -> TypeRef {
        self.type_of(schema, Self::input_object)
    }

    fn type_of(&mut self, schema: &Value, object: fn(&mut Self, &str) -> Option<String>) -> TypeRef {
        if let Some(component) = component(schema) {
            if let Some(known) = object(self, &component) {
                return TypeRef::named_nn(known);
            }
            let inner = self.components.get(&component).cloned().unwrap_or_default();
            return self.type_of(&inner, object);
        }
        // `null` or something is that something, and may be missing
        if let Some(only) = alternative(schema) {
            return optional(self.type_of(&only, object));
        }
        let (kind, may_be_null) = kind(schema);
        let found = match kind {
            Some("string") => TypeRef::named_nn(TypeRef::STRING),
            Some("boolean") => TypeRef::named_nn(TypeRef::BOOLEAN),
            Some("number") => TypeRef::named_nn(TypeRef::FLOAT),
            Some("integer") if schema["format"] == "int64" => TypeRef::named_nn(LONG),
            Some("integer") => TypeRef::named_nn(TypeRef::INT),
            Some("array") => {
                TypeRef::NonNull(Box::new(TypeRef::List(Box::new(self.type_of(&schema["items"], object)))))
            }
            _ => TypeRef::named_nn(JSON),
        };
        if may_be_null { optional(found) } else { found }
    }

    /// The object of a component, if it is one with members.
    fn output_object(&mut self, component: &str) -> Option<String> {
        let schema = self.members_of(component)?;
        if self.outputs.contains_key(component) {
            return Some(component.to_owned());
        }
        // there before its members are looked at: a type may hold itself
        self.outputs.insert(component.to_owned(), Object::new(component));
        let mut object = Object::new(component);
        if let Some(text) = schema["description"].as_str() {
            object = object.description(text);
        }
        for (member, rule) in members(&schema) {
            let kind = self.output(&rule);
            let kind = if is_required(&schema, &member) { kind } else { optional(kind) };
            object = object.field(field(member, kind, &rule));
        }
        self.outputs.insert(component.to_owned(), object);
        Some(component.to_owned())
    }

    fn input_object(&mut self, component: &str) -> Option<String> {
        let schema = self.members_of(component)?;
        let named = format!("{}Input", component.trim_end_matches("Body"));
        if self.inputs.contains_key(&named) {
            return Some(named);
        }
        self.inputs.insert(named.clone(), InputObject::new(&named));
        let mut object = InputObject::new(&named);
        for (member, rule) in members(&schema) {
            let kind = self.input(&rule);
            let kind = if is_required(&schema, &member) { kind } else { optional(kind) };
            let mut value = InputValue::new(name(&member), kind);
            if let Some(text) = rule["description"].as_str() {
                value = value.description(text);
            }
            object = object.field(value);
        }
        self.inputs.insert(named.clone(), object);
        Some(named)
    }

    fn members_of(&self, component: &str) -> Option<Value> {
        let schema = self.components.get(component)?;
        (!members(schema).is_empty()).then(|| schema.clone())
    }

    /// An argument as the body that its schema describes: names go back to what they are in JSON, and what is null is left out.
    pub(crate) fn body(&self, schema: &Value, value: Value) -> Value {
        let schema = component(schema).and_then(|component| self.components.get(&component)).unwrap_or(schema);
        if let Some(only) = alternative(schema) {
            return self.body(&only, value);
        }
        match value {
            Value::Object(given) if !members(schema).is_empty() => {
                let members = members(schema).into_iter().filter_map(|(member, rule)| {
                    let given = given.get(&name(&member)).filter(|given| !given.is_null())?;
                    Some((member, self.body(&rule, given.clone())))
                });
                Value::Object(members.collect())
            }
            Value::Array(items) => {
                Value::Array(items.into_iter().map(|item| self.body(&schema["items"], item)).collect())
            }
            other => other,
        }
    }
}

/// A member of an object, read from the answer that the object is.
pub(crate) fn field(member: String, kind: TypeRef, rule: &Value) -> Field {
    let shape = Shape::of(&kind);
    let field = Field::new(name(&member), kind, move |context| {
        let member = member.clone();
        FieldFuture::new(async move {
            let parent: &Value = context.parent_value.try_downcast_ref()?;
            Ok(parent.get(&member).and_then(|value| lend(value, shape)))
        })
    });
    match rule["description"].as_str() {
        Some(text) => field.description(text),
        None => field,
    }
}

/// Whether a value is looked into field by field, or handed out as the JSON it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Typed,
    Json,
}

impl Shape {
    pub(crate) fn of(kind: &TypeRef) -> Self {
        if kind.type_name() == JSON { Self::Json } else { Self::Typed }
    }
}

/// A part of an answer for GraphQL: objects and lists of them are lent, the rest is copied.
fn lend(value: &Value, shape: Shape) -> Option<FieldValue<'_>> {
    match value {
        Value::Null => None,
        Value::Object(_) if shape == Shape::Typed => Some(FieldValue::borrowed_any(value)),
        Value::Array(items) if shape == Shape::Typed => {
            Some(FieldValue::list(items.iter().filter_map(|item| lend(item, shape))))
        }
        plain => async_graphql::Value::from_json(plain.clone()).ok().map(FieldValue::value),
    }
}

/// A type whose value may be missing.
pub(crate) fn optional(kind: TypeRef) -> TypeRef {
    match kind {
        TypeRef::NonNull(inner) => *inner,
        other => other,
    }
}

fn component(schema: &Value) -> Option<String> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/").map(str::to_owned)
}

/// The one alternative beside `null`, where a schema is a choice of just that.
fn alternative(schema: &Value) -> Option<Value> {
    let branches = schema["oneOf"].as_array()?;
    let mut others = branches.iter().filter(|branch| branch["type"] != "null");
    let only = others.next().filter(|_| branches.len() == 2)?;
    others.next().is_none().then(|| only.clone())
}

/// A schema's type, and whether it may be null as well.
fn kind(schema: &Value) -> (Option<&str>, bool) {
    match &schema["type"] {
        Value::String(kind) => (Some(kind), false),
        Value::Array(kinds) => {
            let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
            (kinds.iter().copied().find(|kind| *kind != "null"), kinds.contains(&"null"))
        }
        _ => (None, false),
    }
}

fn members(schema: &Value) -> Vec<(String, Value)> {
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties.map(|(member, rule)| (member.clone(), rule.clone())).collect()
}

fn is_required(schema: &Value, member: &str) -> bool {
    schema["required"].as_array().is_some_and(|required| required.iter().any(|other| other == member))
}
