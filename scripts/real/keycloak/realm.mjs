// realm.mjs BASE SECRET FOLDER: writes FOLDER/realm.json, the realm that Keycloak imports,
// FOLDER/key.pem, the key of the client that proves itself by private_key_jwt, and
// FOLDER/certified.pem, the key and certificate of the one that names its certificate in that, as
// apps of Entra ID do. BASE is Keycloak's own URL.
//
// The SCIM API is a preview. It takes tokens whose audience is its own base URL, keeps only
// attributes that the realm's user profile declares, and those of SCIM by an annotation.
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const [base, secret, folder] = process.argv.slice(2);
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
writeFileSync(`${folder}/key.pem`, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
execFileSync("openssl", [
  "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=tenure",
  "-keyout", `${folder}/certified.key`, "-out", `${folder}/certified.crt`,
], { stdio: "pipe" });
const certificate = readFileSync(`${folder}/certified.crt`, "ascii");
writeFileSync(`${folder}/certified.pem`, readFileSync(`${folder}/certified.key`, "ascii") + certificate, { mode: 0o600 });

const declared = (name, scim) => ({
  name,
  ...(scim && { annotations: { "kc.scim.schema.attribute": scim } }),
  permissions: { view: ["admin"], edit: ["admin"] },
  multivalued: false,
});
const client = (clientId, more) => ({
  clientId,
  enabled: true,
  publicClient: false,
  serviceAccountsEnabled: true,
  standardFlowEnabled: false,
  protocolMappers: [{
    name: "scim",
    protocol: "openid-connect",
    protocolMapper: "oidc-audience-mapper",
    config: { "included.custom.audience": `${base}/realms/tenure/scim/v2`, "access.token.claim": "true" },
  }],
  ...more,
});
const account = (clientId) => ({
  username: `service-account-${clientId}`,
  enabled: true,
  serviceAccountClientId: clientId,
  clientRoles: { "realm-management": ["manage-users"] },
});

writeFileSync(`${folder}/realm.json`, JSON.stringify({
  realm: "tenure",
  enabled: true,
  sslRequired: "none",
  scimApiEnabled: true,
  clients: [
    client("tenure", { secret }),
    client("tenure-by-key", {
      clientAuthenticatorType: "client-jwt",
      attributes: {
        "token.endpoint.auth.signing.alg": "RS256",
        "use.jwks.string": "true",
        "jwks.string": JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "real", alg: "RS256", use: "sig" }] }),
      },
    }),
    client("tenure-by-certificate", {
      clientAuthenticatorType: "client-jwt",
      attributes: {
        "token.endpoint.auth.signing.alg": "PS256",
        "jwt.credential.certificate": certificate.replace(/-----[^-]+-----|\s/g, ""),
      },
    }),
  ],
  users: [account("tenure"), account("tenure-by-key"), account("tenure-by-certificate")],
  groups: [{ name: "staff" }, { name: "engineers" }],
  components: {
    "org.keycloak.userprofile.UserProfileProvider": [{
      providerId: "declarative-user-profile",
      config: {
        "kc.user.profile.config": [JSON.stringify({
          attributes: [
            declared("username", "userName"), declared("email", "emails[0].value"),
            declared("firstName", "name.givenName"), declared("lastName", "name.familyName"),
            declared("externalId", "externalId"), declared("title", "title"), declared("userType", "userType"),
          ],
        })],
      },
    }],
  },
}, null, 1));
