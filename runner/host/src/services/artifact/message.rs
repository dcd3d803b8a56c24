//! The messages of `ArtifactService` (service-protocol.md 5.4), as far as its clients use them.
//!
//! Knows their members; not what a method does.

use serde::{Deserialize, Serialize};

use super::super::twirp::number;

#[derive(Deserialize)]
pub(super) struct Message {
    #[serde(default, alias = "workflowRunBackendId")]
    pub(super) workflow_run_backend_id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default, alias = "mimeType")]
    pub(super) mime_type: Option<String>,
    #[serde(default, deserialize_with = "number")]
    pub(super) size: Option<u64>,
    #[serde(default)]
    pub(super) hash: Option<String>,
    #[serde(default, alias = "nameFilter")]
    pub(super) name_filter: Option<String>,
    #[serde(default, alias = "idFilter", deserialize_with = "number")]
    pub(super) id_filter: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct Created {
    pub(super) ok: bool,
    pub(super) signed_upload_url: String,
}

#[derive(Serialize)]
pub(super) struct Done {
    pub(super) ok: bool,
    pub(super) artifact_id: String,
}

#[derive(Serialize)]
pub(super) struct Signed {
    pub(super) signed_url: String,
}

#[derive(Serialize)]
pub(super) struct Listing {
    pub(super) artifacts: Vec<Listed>,
}

#[derive(Serialize)]
pub(super) struct Listed {
    pub(super) workflow_run_backend_id: String,
    pub(super) workflow_job_run_backend_id: String,
    pub(super) database_id: String,
    pub(super) name: String,
    pub(super) size: String,
    pub(super) created_at: String,
    pub(super) digest: String,
}
