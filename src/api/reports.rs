//! Telling the shop that something is wrong.

use loyalty_contract::reports::{NewReport, ReportMade};

use super::{ApiError, post_once};

/// Sends a report; the same key again is the same report.
pub async fn create_report(key: &str, report: &NewReport) -> Result<ReportMade, ApiError> {
    post_once("/me/reports", key, report).await
}
