//! Work that takes long, cancelling it, and what is no longer true after it.

use super::sound::InvalidatedAreas;
use serde::{Deserialize, Serialize};

/// What `cancel` names: a request, a progress, or both.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelArguments {
    /// The `seq` of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<i64>,
    /// Which progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress_id: Option<String>,
}

/// Something that takes long has begun.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgressStartEvent {
    /// Which progress.
    pub progress_id: String,
    /// A short heading.
    pub title: String,
    /// The `seq` of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<i64>,
    /// A `cancel` request with this `progressId` is understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellable: Option<bool>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// 0 to 100; absent when nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage: Option<Percentage>,
}

/// How far it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgressUpdateEvent {
    /// Which progress.
    pub progress_id: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// 0 to 100; absent when nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage: Option<Percentage>,
}

/// It is over.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgressEndEvent {
    /// Which progress.
    pub progress_id: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The client should ask again for what it knows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvalidatedEvent {
    /// What is no longer true; absent means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub areas: Option<Vec<InvalidatedAreas>>,
    /// Which thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<i64>,
    /// Only of this frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_frame_id: Option<i64>,
}

/// How far something is, from 0 to 100. A whole number is written as one.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Percentage(pub f64);

impl Serialize for Percentage {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let percent = self.0.clamp(0.0, 100.0);
        if percent.fract() == 0.0 {
            serializer.serialize_u8(percent as u8)
        } else {
            serializer.serialize_f64(percent)
        }
    }
}
