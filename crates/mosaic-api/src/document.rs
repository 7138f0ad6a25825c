use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        ComponentsBuilder, ContentBuilder, HttpMethod, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder,
        Ref, RefOr, Required, ResponseBuilder, Schema,
        path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
        request_body::{RequestBody, RequestBodyBuilder},
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
        server::ServerBuilder,
    },
};

use crate::{
    AcceptBody, AssociateBody, AssociateReply, AssociationList, AssociationView, BroadcastBody, BroadcastList,
    BroadcastReply, ExportDocument, ImportReply, LookupBody, Method, OpenDoorReply, Operation, PeopleReply, Problem,
    ProximityBody, ProximityParams, ProximityReply, SettingsBody, SettingsView, StatusReply, WaveBody, WaveReply,
    WavesReply,
};

const BEARER: &str = "token";

/// The OpenAPI 3 description of the local API (L5-16), built from [`Operation::ALL`].
pub fn openapi() -> OpenApi {
    let mut paths = PathsBuilder::new().build();
    for operation in Operation::ALL {
        let (method, path) = operation.route();
        let item = PathItem::new(http_method(method), describe(operation, path));
        match paths.paths.get_mut(path) {
            Some(known) => known.merge_operations(item),
            None => drop(paths.paths.insert(path.to_owned(), item)),
        }
    }
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("MOSAIC local API")
                .version("1")
                .description(Some(
                    "What a person's own programs say to their own agent, over loopback only. Coordinates and tokens \
                     in a URL end up in histories and logs: use the POST forms.",
                ))
                .build(),
        )
        .servers(Some([ServerBuilder::new().url("http://127.0.0.1:4710").build()]))
        .paths(paths)
        .components(Some(components()))
        .build()
}

fn http_method(method: Method) -> HttpMethod {
    match method {
        Method::Get => HttpMethod::Get,
        Method::Post => HttpMethod::Post,
        Method::Put => HttpMethod::Put,
        Method::Delete => HttpMethod::Delete,
    }
}

fn describe(operation: Operation, path: &str) -> utoipa::openapi::path::Operation {
    let success = operation.success().to_string();
    let mut builder = OperationBuilder::new()
        .operation_id(Some(identifier(operation)))
        .summary(Some(operation.summary()))
        .request_body(request(operation))
        .response(success, answer(operation))
        .response("default", problem());
    for parameter in path_parameters(path).into_iter().chain(query_parameters(operation)) {
        builder = builder.parameter(parameter);
    }
    if operation.needs_token() {
        builder = builder.security(SecurityRequirement::new(BEARER, Vec::<String>::new()));
    }
    builder.build()
}

/// The name of the variant, first letter small.
fn identifier(operation: Operation) -> String {
    let name = format!("{operation:?}");
    name.chars().enumerate().map(|(at, c)| if at == 0 { c.to_ascii_lowercase() } else { c }).collect()
}

fn path_parameters(path: &str) -> Vec<Parameter> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(String::schema()))
                .build()
        })
        .collect()
}

fn query_parameters(operation: Operation) -> Vec<Parameter> {
    match operation {
        Operation::ProximityByUrl => ProximityParams::into_params(|| Some(ParameterIn::Query)),
        Operation::Import => vec![
            ParameterBuilder::new()
                .name("validate")
                .parameter_in(ParameterIn::Query)
                .required(Required::False)
                .description(Some("check the document and change nothing"))
                .schema(Some(bool::schema()))
                .build(),
        ],
        _ => Vec::new(),
    }
}

fn request(operation: Operation) -> Option<RequestBody> {
    let schema = match operation {
        Operation::Broadcast => reference::<BroadcastBody>(),
        Operation::Proximity => reference::<ProximityBody>(),
        Operation::Wave => reference::<WaveBody>(),
        Operation::Associate => reference::<AssociateBody>(),
        Operation::AssociationByToken => reference::<LookupBody>(),
        Operation::Accept => reference::<AcceptBody>(),
        Operation::ChangeSettings => reference::<SettingsBody>(),
        Operation::Import => reference::<ExportDocument>(),
        _ => return None,
    };
    let content = ContentBuilder::new().schema(Some(schema)).build();
    Some(RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build())
}

fn answer(operation: Operation) -> ResponseBuilder {
    let schema = match operation {
        Operation::Broadcast => reference::<BroadcastReply>(),
        Operation::ListBroadcasts => reference::<BroadcastList>(),
        Operation::ProximityByUrl | Operation::Proximity => reference::<ProximityReply>(),
        Operation::Wave => reference::<WaveReply>(),
        Operation::Waves => reference::<WavesReply>(),
        Operation::Associate => reference::<AssociateReply>(),
        Operation::AssociationByUrl | Operation::AssociationByToken => reference::<AssociationView>(),
        Operation::ListAssociations => reference::<AssociationList>(),
        Operation::People => reference::<PeopleReply>(),
        Operation::Status => reference::<StatusReply>(),
        Operation::OpenDoor => reference::<OpenDoorReply>(),
        Operation::ReadSettings | Operation::ChangeSettings => reference::<SettingsView>(),
        Operation::Export => reference::<ExportDocument>(),
        Operation::Import => reference::<ImportReply>(),
        Operation::Describe => serde_json_value(),
        Operation::Withdraw
        | Operation::Accept
        | Operation::Decline
        | Operation::DeleteAssociation
        | Operation::KeepPerson
        | Operation::ForgetPerson => return ResponseBuilder::new().description("done"),
    };
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description("the answer").content("application/json", content)
}

fn problem() -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(reference::<Problem>())).build();
    ResponseBuilder::new().description("a refusal (RFC 9457)").content(Problem::MEDIA_TYPE, content)
}

fn reference<T: ToSchema>() -> RefOr<Schema> {
    Ref::from_schema_name(T::name()).into()
}

fn serde_json_value() -> RefOr<Schema> {
    serde_json::Value::schema()
}

fn components() -> utoipa::openapi::Components {
    ComponentsBuilder::new()
        .schema_from::<Problem>()
        .schema_from::<BroadcastBody>()
        .schema_from::<BroadcastReply>()
        .schema_from::<BroadcastList>()
        .schema_from::<ProximityBody>()
        .schema_from::<ProximityReply>()
        .schema_from::<WaveBody>()
        .schema_from::<WaveReply>()
        .schema_from::<WavesReply>()
        .schema_from::<AssociateBody>()
        .schema_from::<AssociateReply>()
        .schema_from::<LookupBody>()
        .schema_from::<AssociationView>()
        .schema_from::<AssociationList>()
        .schema_from::<AcceptBody>()
        .schema_from::<PeopleReply>()
        .schema_from::<StatusReply>()
        .schema_from::<OpenDoorReply>()
        .schema_from::<SettingsBody>()
        .schema_from::<SettingsView>()
        .schema_from::<ExportDocument>()
        .schema_from::<ImportReply>()
        .security_scheme(BEARER, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
        .build()
}
