//! Where media files are: their keys in the blob store and their public addresses.

use data_encoding::BASE64URL_NOPAD;

use super::{MediaId, TenantId};
use crate::platform::{Config, Purpose};

/// The key of a media file in the blob store.
pub fn blob_key(tenant: &TenantId, media: &MediaId) -> String {
    format!("{tenant}/{media}")
}

/// The public address of a media file, on the content origin. It ends in a tag that only Postern can make, so that
/// nobody finds files by their ids; the tag names its key, so that addresses outlive a rotation until the key is
/// retired.
pub fn media_address(config: &Config, tenant: &TenantId, media: &MediaId) -> String {
    let message = blob_key(tenant, media);
    let tag = BASE64URL_NOPAD.encode(&config.keys.current(Purpose::MediaAddress).hmac(message.as_bytes()));
    format!("{}/media/{tenant}/{media}/{}.{tag}", config.content_origin, config.keys.current_id())
}

/// The media file that the variable segments of `/media/{tenant}/{media}/{tag}` name, if the tag is theirs.
pub fn check_media_address(
    config: &Config,
    tenant: &str,
    media: &str,
    tag: &str,
) -> Option<(TenantId, MediaId)> {
    let tenant: TenantId = tenant.parse().ok()?;
    let media: MediaId = media.parse().ok()?;
    let (key_id, tag) = tag.split_once('.')?;
    let tag = BASE64URL_NOPAD.decode(tag.as_bytes()).ok()?;
    let key = config.keys.by_id(key_id, Purpose::MediaAddress)?;
    key.verify(blob_key(&tenant, &media).as_bytes(), &tag).then_some((tenant, media))
}
