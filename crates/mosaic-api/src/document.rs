use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        Components, ComponentsBuilder, Content, ContentBuilder, HttpMethod, InfoBuilder, ObjectBuilder, OpenApi,
        OpenApiBuilder, PathItem, PathsBuilder, Ref, RefOr, Required, ResponseBuilder, Schema, Type,
        path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
        request_body::{RequestBody, RequestBodyBuilder},
        schema::{ArrayItems, KnownFormat, SchemaFormat},
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    AcceptBody, AgentFrame, AggregatesReply, AssociateBody, AssociateReply, AssociationList, AssociationView,
    BroadcastBody, BroadcastList, BroadcastReply, BroadcastView, CardSelection, ClientFrame, EvidenceReply,
    ExportDocument, Handover, IDEMPOTENCY_KEY, ImportReply, LookupBody, Method, OpenDoorReply, Operation, PageParams,
    PeopleReply, PreviewBody, PreviewReply, Problem, ProblemKind, ProximityBody, ProximityParams, ProximityReply,
    ReceiptsReply, SessionBody, SessionCodeReply, SessionView, SettingsBody, SettingsView, StatusReply,
    TILE_MEDIA_TYPE, TileBody, UpdateBody, WaveBody, WaveReply, WavesReply, example::Examples,
};

const BEARER: &str = "token";

/// The OpenAPI 3 description of the local API (L5-16), built from [`Operation::ALL`].
pub fn openapi() -> OpenApi {
    let components = components();
    let examples = Examples::of(serde_json::to_value(&components.schemas).unwrap_or_default());
    let mut paths = PathsBuilder::new().build();
    for operation in Operation::ALL {
        let (method, path) = operation.route();
        let item = PathItem::new(http_method(method), describe(operation, &examples));
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
                     in a URL end up in histories and logs: use the POST forms. Paths are relative to where this \
                     document is served; the port is in the agent's `api.address`.",
                ))
                .build(),
        )
        .paths(paths)
        .components(Some(components))
        .build()
}

fn http_method(method: Method) -> HttpMethod {
    match method {
        Method::Get => HttpMethod::Get,
        Method::Post => HttpMethod::Post,
        Method::Put => HttpMethod::Put,
        Method::Patch => HttpMethod::Patch,
        Method::Delete => HttpMethod::Delete,
    }
}

fn describe(operation: Operation, examples: &Examples) -> utoipa::openapi::path::Operation {
    let success = operation.success().to_string();
    let mut builder = OperationBuilder::new()
        .operation_id(Some(operation.name()))
        .summary(Some(operation.summary()))
        .request_body(request(operation, examples))
        .response(success, answer(operation, examples))
        .response("default", problem(examples));
    for parameter in path_parameter(operation).into_iter().chain(query_parameters(operation)) {
        builder = builder.parameter(parameter);
    }
    if operation.needs_token() {
        builder = builder.security(SecurityRequirement::new(BEARER, Vec::<String>::new()));
    }
    builder.build()
}

fn path_parameter(operation: Operation) -> Option<Parameter> {
    let pattern = match operation {
        Operation::AssociationByUrl => "^[0-9A-Za-z]{32}$",
        Operation::Withdraw | Operation::UpdateBroadcast => "^b(0|[1-9][0-9]{0,18})$",
        Operation::Forgive => "^(1[0-5]|[1-9])$",
        _ => "^[0-9a-f]{32}$",
    };
    let parameter = |name| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(text(pattern)))
            .build()
    };
    operation.parameter().map(parameter)
}

fn query_parameters(operation: Operation) -> Vec<Parameter> {
    match operation {
        paged if paged.is_paged() => PageParams::into_params(|| Some(ParameterIn::Query)),
        keyed if keyed.takes_key() && keyed != Operation::Import => vec![key_parameter()],
        Operation::ProximityByUrl => ProximityParams::into_params(|| Some(ParameterIn::Query)),
        Operation::Import => vec![
            ParameterBuilder::new()
                .name("validate")
                .parameter_in(ParameterIn::Query)
                .required(Required::False)
                .description(Some("check the document and change nothing"))
                .schema(Some(bool::schema()))
                .build(),
            key_parameter(),
        ],
        _ => Vec::new(),
    }
}

fn key_parameter() -> Parameter {
    ParameterBuilder::new()
        .name(IDEMPOTENCY_KEY)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "1 to 64 letters, digits, - and _: sent again within the hour, the request is answered and not done again",
        ))
        .schema(Some(text("^[0-9A-Za-z_-]{1,64}$")))
        .build()
}

fn text(pattern: &str) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).into()
}

fn request(operation: Operation, examples: &Examples) -> Option<RequestBody> {
    let schema = match operation {
        Operation::Broadcast => reference::<BroadcastBody>(),
        Operation::UpdateBroadcast => reference::<UpdateBody>(),
        Operation::Proximity => reference::<ProximityBody>(),
        Operation::Wave => reference::<WaveBody>(),
        Operation::Associate => reference::<AssociateBody>(),
        Operation::AssociationByToken => reference::<LookupBody>(),
        Operation::Accept => reference::<AcceptBody>(),
        Operation::ChangeSettings => reference::<SettingsBody>(),
        Operation::Import => reference::<ExportDocument>(),
        Operation::Preview => reference::<PreviewBody>(),
        Operation::MapTile => reference::<TileBody>(),
        Operation::OpenSession => reference::<SessionBody>(),
        _ => return None,
    };
    let content = content(schema, examples);
    Some(RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build())
}

fn answer(operation: Operation, examples: &Examples) -> ResponseBuilder {
    let schema = match operation {
        Operation::Broadcast => reference::<BroadcastReply>(),
        Operation::UpdateBroadcast => reference::<BroadcastView>(),
        Operation::ListBroadcasts => reference::<BroadcastList>(),
        Operation::ProximityByUrl | Operation::Proximity => reference::<ProximityReply>(),
        Operation::Wave => reference::<WaveReply>(),
        Operation::Waves => reference::<WavesReply>(),
        Operation::Associate => reference::<AssociateReply>(),
        Operation::AssociationByUrl | Operation::AssociationByToken => reference::<AssociationView>(),
        Operation::ListAssociations => reference::<AssociationList>(),
        Operation::People => reference::<PeopleReply>(),
        Operation::Status => reference::<StatusReply>(),
        Operation::Receipts => reference::<ReceiptsReply>(),
        Operation::Aggregates => reference::<AggregatesReply>(),
        Operation::Evidence => reference::<EvidenceReply>(),
        Operation::OpenDoor => reference::<OpenDoorReply>(),
        Operation::ReadSettings | Operation::ChangeSettings => reference::<SettingsView>(),
        Operation::Export => reference::<ExportDocument>(),
        Operation::Import => reference::<ImportReply>(),
        Operation::Preview => reference::<PreviewReply>(),
        Operation::SessionCode => reference::<SessionCodeReply>(),
        Operation::ShowSession => reference::<SessionView>(),
        Operation::Describe => serde_json_value(),
        Operation::MapTile => {
            let tile = ContentBuilder::new().schema(Some(tile())).build();
            return ResponseBuilder::new().description("a tile (Mapbox Vector Tile 2)").content(TILE_MEDIA_TYPE, tile);
        }
        Operation::Socket => return ResponseBuilder::new().description("the socket is open"),
        Operation::Withdraw
        | Operation::Forgive
        | Operation::Accept
        | Operation::Decline
        | Operation::DeleteAssociation
        | Operation::KeepPerson
        | Operation::ForgetPerson
        | Operation::OpenSession
        | Operation::CloseSession => return ResponseBuilder::new().description("done"),
    };
    let content = content(schema, examples);
    ResponseBuilder::new().description("the answer").content("application/json", content)
}

fn problem(examples: &Examples) -> ResponseBuilder {
    let content = content(reference::<Problem>(), examples);
    ResponseBuilder::new().description("a refusal (RFC 9457)").content(Problem::MEDIA_TYPE, content)
}

/// A schema and an example of it.
fn content(schema: RefOr<Schema>, examples: &Examples) -> Content {
    let example = serde_json::to_value(&schema).ok().and_then(|schema| examples.example(&schema));
    ContentBuilder::new().schema(Some(schema)).example(example).build()
}

fn reference<T: ToSchema>() -> RefOr<Schema> {
    Ref::from_schema_name(T::name()).into()
}

fn tile() -> RefOr<Schema> {
    let binary = SchemaFormat::KnownFormat(KnownFormat::Binary);
    ObjectBuilder::new().schema_type(Type::String).format(Some(binary)).into()
}

fn serde_json_value() -> RefOr<Schema> {
    serde_json::Value::schema()
}

fn components() -> Components {
    let mut schemas = Vec::new();
    let list = &mut schemas;
    add::<Problem>(list);
    add::<ClientFrame>(list);
    add::<AgentFrame>(list);
    add::<BroadcastBody>(list);
    add::<UpdateBody>(list);
    add::<BroadcastReply>(list);
    add::<BroadcastList>(list);
    add::<ProximityBody>(list);
    add::<ProximityReply>(list);
    add::<WaveBody>(list);
    add::<WaveReply>(list);
    add::<WavesReply>(list);
    add::<AssociateBody>(list);
    add::<Handover>(list);
    add::<AssociateReply>(list);
    add::<LookupBody>(list);
    add::<AssociationView>(list);
    add::<AssociationList>(list);
    add::<AcceptBody>(list);
    add::<PeopleReply>(list);
    add::<StatusReply>(list);
    add::<ReceiptsReply>(list);
    add::<AggregatesReply>(list);
    add::<EvidenceReply>(list);
    add::<OpenDoorReply>(list);
    add::<SettingsBody>(list);
    add::<SettingsView>(list);
    add::<ExportDocument>(list);
    add::<ImportReply>(list);
    add::<PreviewBody>(list);
    add::<PreviewReply>(list);
    add::<TileBody>(list);
    add::<SessionCodeReply>(list);
    add::<SessionBody>(list);
    add::<SessionView>(list);
    list.iter_mut().filter(|(name, _)| *name == Problem::name()).for_each(|(_, schema)| name_kinds(schema));
    list.iter_mut().filter(|(name, _)| *name == CardSelection::name()).for_each(|(_, schema)| bound_cards(schema));
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    ComponentsBuilder::new().schemas_from_iter(schemas).security_scheme(BEARER, bearer).build()
}

/// A client decides by the problem's type alone, so the description lists them all.
fn name_kinds(problem: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(problem)) = problem else { return };
    if let Some(RefOr::T(Schema::Object(kind))) = problem.properties.get_mut("type") {
        let words = ProblemKind::ALL.map(|kind| Problem::new(kind).kind.into());
        kind.enum_values = Some(words.to_vec());
    }
}

/// Of cards that are named there is at least one, and no more than an answer lists.
fn bound_cards(selection: &mut RefOr<Schema>) {
    let RefOr::T(Schema::OneOf(choice)) = selection else { return };
    for cards in &mut choice.items {
        if let RefOr::T(Schema::Array(cards)) = cards {
            (cards.min_items, cards.max_items) = (Some(1), Some(200));
            cards.items = ArrayItems::RefOrSchema(Box::new(text("^[0-9a-f]{32}$")));
        }
    }
}

/// A type and every type it refers to.
fn add<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}
