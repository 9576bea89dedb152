//! The audit trail, and saved views.

use domain::{AuditEventId, UserId, ViewId};
use storage::{AuditEvent, AuditFilter, Page, SavedView, User};

use super::Identity;
use crate::error::{Result, of_conflict};

/// Saved views of one user.
const MOST_VIEWS: usize = 50;

impl Identity {
    /// Writes an event, under an id of its own.
    pub async fn record(&self, event: AuditEvent) -> Result<()> {
        let event = AuditEvent { id: AuditEventId::new(self.next_id()), at: self.now(), ..event };
        Ok(self.store().append_audit(&[event]).await?)
    }

    /// Events, newest first.
    pub async fn events(
        &self,
        filter: &AuditFilter,
        before: Option<AuditEventId>,
        limit: usize,
    ) -> Result<Page<AuditEvent>> {
        Ok(self.store().audit_events(filter, before, limit).await?)
    }

    /// A user's saved views.
    pub async fn views(&self, user: UserId) -> Result<Vec<SavedView>> {
        Ok(self.store().views(user).await?)
    }

    /// Saves a view.
    pub async fn save_view(
        &self,
        user: &User,
        name: String,
        page: String,
        query: String,
    ) -> Result<SavedView> {
        let view = SavedView {
            id: ViewId::new(self.next_id()),
            user: user.id,
            issuer: user.issuer,
            name,
            page,
            query,
            created_at: self.now(),
        };
        self.store().save_view(&view, MOST_VIEWS).await.map_err(of_conflict)?;
        Ok(view)
    }

    /// Deletes a view. Says whether it was there.
    pub async fn delete_view(&self, user: UserId, id: ViewId) -> Result<bool> {
        Ok(self.store().delete_view(user, id).await?)
    }
}
