//! The states of moments, packed small and unpacked exactly. It knows which moment follows which; it does not
//! know what is in a state.

use std::collections::VecDeque;
use std::sync::Arc;

use indexmap::IndexMap;

use super::bytes::Bytes;
use super::delta::{self, DeltaEncoder};
use super::limits::{STATE_BYTES_MAX, STATE_DELTAS_MAX, STATES_CACHED_BYTES_MAX, STATES_HELD_MAX};
use super::reader::Entry;
use super::record::{MomentId, Record, StoredForm, StoredState};

/// Packs each state against that of its parent moment, with a full copy now and then so that unpacking any
/// moment takes few steps. Holds the newest states; a parent that is no longer held means a full copy.
#[derive(Debug, Default)]
pub struct StateEncoder {
    delta: DeltaEncoder,
    held: VecDeque<Held>,
}

#[derive(Debug)]
struct Held {
    id: MomentId,
    state: Vec<u8>,
    /// Deltas between this state and the full copy it rests on.
    depth: u32,
    /// Bytes of these deltas together.
    spent: usize,
}

impl StateEncoder {
    /// An encoder that holds nothing: the first state is a full copy.
    pub fn new() -> Self {
        Self::default()
    }

    /// Packs `state`, the canonical bytes of the moment `id`, against those of `parent`. Call it for a moment
    /// just before its record is appended. A state above [`STATE_BYTES_MAX`] is refused.
    pub fn encode(
        &mut self,
        id: MomentId,
        parent: Option<MomentId>,
        state: &[u8],
    ) -> Result<StoredState, StateError> {
        if state.len() > STATE_BYTES_MAX {
            return Err(StateError::TooLarge { moment: id, bytes: state.len() as u64 });
        }
        let hash = *blake3::hash(state).as_bytes();
        let length = state.len() as u32;
        let (form, depth, spent) = match self.try_delta(parent, state) {
            Some((delta, depth, spent)) => (StoredForm::Delta(Bytes(delta)), depth, spent),
            None => (full(state), 0, 0),
        };
        self.hold(id, state, depth, spent);
        Ok(StoredState { hash, length, form })
    }

    /// A delta, its depth and what its row of deltas costs; none when a full copy is the better choice.
    fn try_delta(&mut self, parent: Option<MomentId>, state: &[u8]) -> Option<(Vec<u8>, u32, usize)> {
        let parent = parent?;
        let base = self.held.iter().rev().find(|held| held.id == parent)?;
        let depth = base.depth + 1;
        if depth > STATE_DELTAS_MAX || base.spent > state.len() {
            return None;
        }
        let delta = self.delta.encode(&base.state, state);
        let spent = base.spent + delta.len();
        (delta.len() <= state.len() / 2).then_some((delta, depth, spent))
    }

    fn hold(&mut self, id: MomentId, state: &[u8], depth: u32, spent: usize) {
        let mut buffer = if self.held.len() >= STATES_HELD_MAX {
            self.held.pop_front().map(|held| held.state).unwrap_or_default()
        } else {
            Vec::new()
        };
        buffer.clear();
        buffer.extend_from_slice(state);
        self.held.push_back(Held { id, state: buffer, depth, spent });
    }
}

/// A full copy, compressed when that helps.
fn full(state: &[u8]) -> StoredForm {
    match zstd::bulk::compress(state, 1) {
        Ok(packed) if packed.len() < state.len() => StoredForm::Zstd(Bytes(packed)),
        _ => StoredForm::Full(Bytes(state.to_vec())),
    }
}

/// Why a state cannot be packed or unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Above [`STATE_BYTES_MAX`].
    #[error("failed to keep the state of moment {}: {bytes} bytes are too many\nhint: a state may have {STATE_BYTES_MAX}", moment.0)]
    TooLarge {
        /// Which moment.
        moment: MomentId,
        /// Its length.
        bytes: u64,
    },
    /// The recording does not have this moment, or not its parent's state.
    #[error("failed to show moment {}: the recording does not contain it", .0.0)]
    Missing(MomentId),
    /// The bytes unpack to something else than was recorded.
    #[error("failed to show moment {}: its state is damaged", .0.0)]
    Damaged(MomentId),
}

/// The states of a recording, unpacked when asked for, each checked against its hash.
#[derive(Debug, Default)]
pub struct StateArchive {
    packed: IndexMap<MomentId, Packed>,
    cache: IndexMap<MomentId, Arc<[u8]>>,
    cached_bytes: usize,
}

#[derive(Debug)]
struct Packed {
    parent: Option<MomentId>,
    state: StoredState,
}

impl StateArchive {
    /// An archive of the moments among `records`.
    pub fn of(records: &[Entry]) -> Self {
        let mut archive = StateArchive::default();
        for entry in records {
            if let Record::Moment(moment) = &entry.record {
                archive.add(moment.id, moment.parent, moment.state.clone());
            }
        }
        archive
    }

    /// Adds a moment; used while recording to look back without reading the file.
    pub fn add(&mut self, id: MomentId, parent: Option<MomentId>, state: StoredState) {
        self.packed.insert(id, Packed { parent, state });
    }

    /// The ids, in order of recording.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = MomentId> + '_ {
        self.packed.keys().copied()
    }

    /// The state of a moment. States it rests on are kept for a while: walking along a branch in either direction
    /// unpacks each once.
    pub fn get(&mut self, id: MomentId) -> Result<Arc<[u8]>, StateError> {
        let mut row = self.row(id)?;
        let mut state = match row.last().and_then(|last| self.cache.get(last)) {
            Some(cached) => {
                row.pop();
                Some(Arc::clone(cached))
            }
            None => None,
        };
        while let Some(next) = row.pop() {
            let unpacked = self.unpack(next, state.as_deref())?;
            self.remember(next, &unpacked);
            state = Some(unpacked);
        }
        state.ok_or(StateError::Missing(id))
    }

    /// `id` and the moments it rests on, up to one that is cached or a full copy. A damaged file may name a moment
    /// as its own ancestor; ids grow along a branch, so anything else ends the row.
    fn row(&self, id: MomentId) -> Result<Vec<MomentId>, StateError> {
        let mut row = vec![id];
        let mut at = id;
        while !self.cache.contains_key(&at) {
            let packed = self.packed.get(&at).ok_or(StateError::Missing(at))?;
            if !matches!(packed.state.form, StoredForm::Delta(_)) {
                break;
            }
            at = packed.parent.filter(|parent| *parent < at).ok_or(StateError::Damaged(at))?;
            row.push(at);
        }
        Ok(row)
    }

    fn unpack(&self, id: MomentId, parent: Option<&[u8]>) -> Result<Arc<[u8]>, StateError> {
        let stored = &self.packed.get(&id).ok_or(StateError::Missing(id))?.state;
        let length = stored.length as usize;
        if length > STATE_BYTES_MAX {
            return Err(StateError::TooLarge { moment: id, bytes: length as u64 });
        }
        let state = match &stored.form {
            StoredForm::Full(bytes) => Some(bytes.0.clone()),
            StoredForm::Zstd(bytes) => zstd::bulk::decompress(&bytes.0, length).ok(),
            StoredForm::Delta(bytes) => {
                delta::apply(parent.ok_or(StateError::Missing(id))?, &bytes.0, length).ok()
            }
        };
        let whole = state.filter(|state| state.len() == length && blake3::hash(state) == stored.hash);
        whole.map(Arc::from).ok_or(StateError::Damaged(id))
    }

    fn remember(&mut self, id: MomentId, state: &Arc<[u8]>) {
        if self.cached_bytes + state.len() > STATES_CACHED_BYTES_MAX {
            self.cache.clear();
            self.cached_bytes = 0;
        }
        self.cached_bytes += state.len();
        self.cache.insert(id, Arc::clone(state));
    }
}
