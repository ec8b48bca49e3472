//! Blobs as objects of the stack's bucket, below `blobs/`.

use crate::{Clients, failure};
use async_trait::async_trait;
use attune_ports::{Blobs, Unavailable, blobs};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::presigning::PresigningConfig;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// Blobs in a bucket.
pub struct S3Blobs {
    clients: Arc<Clients>,
    bucket: String,
}

impl S3Blobs {
    /// Blobs in `bucket`.
    pub fn new(clients: Arc<Clients>, bucket: impl Into<String>) -> Self {
        Self { clients, bucket: bucket.into() }
    }
}

/// The object's key, for a name that can be a blob's.
fn key(name: &str) -> Result<String, Unavailable> {
    blobs::check_name(name).map(|()| format!("blobs/{name}"))
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Unavailable> {
        let put = self.clients.s3().await.put_object().bucket(&self.bucket).key(key(name)?);
        let put = put.body(bytes.into()).send().await;
        put.map(drop).map_err(|error| failure::unavailable("blobs", error))
    }

    async fn get(&self, name: &str) -> Result<Option<Bytes>, Unavailable> {
        let get = self.clients.s3().await.get_object().bucket(&self.bucket).key(key(name)?);
        match get.send().await {
            Ok(found) => {
                let bytes = found.body.collect().await;
                bytes
                    .map(|bytes| Some(bytes.into_bytes()))
                    .map_err(|error| Unavailable::new("blobs", error))
            }
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), GetObjectError::NoSuchKey(_)) =>
            {
                Ok(None)
            }
            Err(error) => Err(failure::unavailable("blobs", error)),
        }
    }

    async fn size(&self, name: &str) -> Result<Option<u64>, Unavailable> {
        let head = self.clients.s3().await.head_object().bucket(&self.bucket).key(key(name)?);
        match head.send().await {
            Ok(found) => Ok(found.content_length.and_then(|bytes| u64::try_from(bytes).ok())),
            Err(SdkError::ServiceError(error)) if error.err().is_not_found() => Ok(None),
            Err(error) => Err(failure::unavailable("blobs", error)),
        }
    }

    async fn delete(&self, name: &str) -> Result<(), Unavailable> {
        let delete = self.clients.s3().await.delete_object().bucket(&self.bucket).key(key(name)?);
        let deleted = delete.send().await;
        deleted.map(drop).map_err(|error| failure::unavailable("blobs", error))
    }

    /// The address counts as long as this process's credentials, if those end sooner.
    async fn upload_url(
        &self,
        name: &str,
        lifetime: Duration,
    ) -> Result<Option<String>, Unavailable> {
        let put = self.clients.s3().await.put_object().bucket(&self.bucket).key(key(name)?);
        let lifetime = PresigningConfig::expires_in(lifetime)
            .map_err(|error| Unavailable::new("blobs", error))?;
        let signed = put.presigned(lifetime).await;
        let signed = signed.map_err(|error| failure::unavailable("blobs", error))?;
        Ok(Some(signed.uri().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_below_their_folder() {
        assert_eq!(key("events/1").unwrap(), "blobs/events/1");
        for name in ["", "../logs/1", "/a", "a//b", ".a"] {
            assert!(key(name).is_err(), "{name}");
        }
    }
}
