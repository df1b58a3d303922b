//! The `OpenAPI` 3.1 document, made from the same declarations that route requests.

use std::sync::Arc;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use loyalty_contract::BASE;
use loyalty_contract::member_events::RedemptionChanged;
use loyalty_contract::rewards::{AvailabilityFilter, RewardSort};
use loyalty_contract::statement::StatementFormat;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{
    App, auth, cards, claims, code_keys, counter, counter_sessions, deadlines, demo, devices, export, identify,
    leaving, ledger, member_events, members, profile, programme, purchases, quotes, redemptions, reports, rewards,
    sessions, statement, status, terms,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Loyalty API",
        version = "1",
        description = "What a loyalty wallet, a till and a counter talk to.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    // Used by query parameters and within a stream alone, which do not bring their schemas along.
    components(schemas(AvailabilityFilter, RedemptionChanged, RewardSort, StatementFormat)),
    modifiers(&SessionCookie),
    tags(
        (name = "programme", description = "What makes this shop's programme different"),
        (name = "auth", description = "Signing in and out"),
        (name = "me", description = "The member who is signed in"),
        (name = "rewards", description = "What points can be turned into"),
        (name = "quotes", description = "What would happen, without doing it"),
        (name = "redemptions", description = "Points that were turned into a voucher"),
        (name = "till", description = "What was bought and what came back, as a till tells it"),
        (name = "counter", description = "What staff do, and the devices that they work on"),
        (name = "demo", description = "What only a demo can do"),
    )
)]
struct Document;

struct SessionCookie;

impl utoipa::Modify for SessionCookie {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let description = "Set by signing in; over https its name begins with __Host-.";
        let cookie = ApiKeyValue::with_description("loyalty_session", description);
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let description = "Set by signing in at a counter; over https its name begins with __Host-.";
        let cookie = ApiKeyValue::with_description("loyalty_counter", description);
        components.add_security_scheme("counter", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("key", SecurityScheme::Http(bearer));
    }
}

/// Every endpoint below the base, with its documentation.
pub fn api() -> OpenApiRouter<Arc<App>> {
    let resources = OpenApiRouter::new()
        .routes(routes!(programme::get_programme))
        .routes(routes!(auth::create_challenge))
        .routes(routes!(auth::create_session))
        .routes(routes!(auth::end_session))
        .routes(routes!(members::create_member))
        .routes(routes!(counter_sessions::create_staff_session))
        .routes(routes!(
            counter_sessions::get_staff_session,
            counter_sessions::end_staff_session
        ))
        .routes(routes!(devices::create_pairing))
        .routes(routes!(devices::create_device, devices::list_devices))
        .routes(routes!(devices::delete_device))
        .routes(routes!(terms::list_terms))
        .routes(routes!(terms::create_agreement))
        .routes(routes!(profile::get_profile, profile::change_profile))
        .routes(routes!(profile::change_address))
        .routes(routes!(sessions::list_sessions, sessions::delete_other_sessions))
        .routes(routes!(sessions::delete_session))
        .routes(routes!(cards::create_card, cards::list_cards))
        .routes(routes!(cards::delete_card))
        .routes(routes!(code_keys::create_code_key, code_keys::list_code_keys))
        .routes(routes!(code_keys::delete_code_key))
        .routes(routes!(export::get_export))
        .routes(routes!(leaving::delete_member))
        .routes(routes!(status::get_status))
        .routes(routes!(ledger::list_entries))
        .routes(routes!(ledger::get_entry))
        .routes(routes!(member_events::list_events))
        .routes(routes!(statement::get_statement))
        .routes(routes!(deadlines::get_deadlines))
        .routes(routes!(claims::create_claim, claims::list_claims))
        .routes(routes!(reports::create_report, reports::list_reports))
        .routes(routes!(rewards::list_rewards))
        .routes(routes!(rewards::get_reward))
        .routes(routes!(quotes::create_quote))
        .routes(routes!(purchases::create_purchase))
        .routes(routes!(purchases::create_return))
        .routes(routes!(redemptions::create_redemption))
        .routes(routes!(redemptions::release_redemption))
        .routes(routes!(redemptions::get_redemption))
        .routes(routes!(redemptions::list_redemptions))
        .routes(routes!(identify::identify_member))
        .routes(routes!(counter::capture_redemption))
        .routes(routes!(counter::refund_redemption))
        .routes(routes!(counter::create_adjustment))
        .routes(routes!(demo::move_clock));
    OpenApiRouter::with_openapi(Document::openapi()).nest(BASE, resources)
}

/// `GET /openapi.json`.
pub fn answer(document: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, no-cache")),
    ];
    (headers, document).into_response()
}
