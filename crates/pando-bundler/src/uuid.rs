//! Adds `crypto.randomUUID` for pages served by plain http, where browsers offer random bytes but
//! not this function.

use crate::origins::{Origins, Rearranged};

const SOURCE: &str = "\
(function(c){if(!c||c.randomUUID)return;c.randomUUID=function(){return'xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx'.replace(/[xv]/g,function(k){\
var n=c.getRandomValues(new Uint8Array(1))[0]&15;return(k==='x'?n:n&3|8).toString(16)})}})(globalThis.crypto);
";

/// Puts the function before a script that mentions it.
pub(crate) fn fill_in(code: String, origins: Origins) -> (String, Origins) {
    if !code.contains("randomUUID") {
        return (code, origins);
    }
    let mut script = Rearranged::default();
    script.add(SOURCE);
    script.copy(&code, 0..code.len());
    let origins = origins.rearranged(&code, &script);
    (script.code, origins)
}
