// The keys of a local project, new each time, written into the folder that is named: keys.json, jwks.json for PostgREST,
// and the environment that the platform gives a function. A project of today signs with ES256 and still knows the secret of
// its older tokens.

const [folder] = Deno.args;

const encoder = new TextEncoder();

/** base64 for URLs, without padding. */
function base64(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function random(length: number): string {
  return base64(crypto.getRandomValues(new Uint8Array(length)));
}

/** A token, signed as the algorithm says. */
async function token(
  header: object,
  claims: object,
  sign: (text: Uint8Array) => Promise<ArrayBuffer>,
): Promise<string> {
  const part = (value: object) => base64(encoder.encode(JSON.stringify(value)));
  const text = `${part({ typ: "JWT", ...header })}.${part(claims)}`;
  return `${text}.${base64(new Uint8Array(await sign(encoder.encode(text))))}`;
}

async function hs256(secret: Uint8Array, claims: object): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", secret, algorithm, false, ["sign"]);
  return await token({ alg: "HS256" }, claims, (text) => crypto.subtle.sign("HMAC", key, text));
}

/** Ten years, as Supabase's own. */
const exp = Math.floor(Date.now() / 1000) + 10 * 365 * 86_400;
const secret = crypto.getRandomValues(new Uint8Array(48));
const algorithm = { name: "ECDSA", namedCurve: "P-256" };
const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
const kid = crypto.randomUUID();
const tokens = [
  { kty, crv, x, y, kid, alg: "ES256", use: "sig" },
  { kty: "oct", k: base64(secret), alg: "HS256" },
];

const es256 = (claims: object) =>
  token(
    { alg: "ES256", kid },
    claims,
    (text) => crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, text),
  );

const keys = {
  jwks: { keys: tokens },
  signing: { ...await crypto.subtle.exportKey("jwk", pair.privateKey), kid },
  anon: await hs256(secret, { role: "anon", iss: "supabase", exp }),
  service_role: await hs256(secret, { role: "service_role", iss: "supabase", exp }),
  user: await es256({
    role: "authenticated",
    aud: "authenticated",
    sub: "10000000-0000-4000-8000-000000000001",
    iss: "supabase",
    exp,
  }),
  publishable: `sb_publishable_${random(24)}`,
  secret: `sb_secret_${random(24)}`,
};
const environment = {
  SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable }),
  SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret }),
  SUPABASE_ANON_KEY: keys.anon,
  SUPABASE_SERVICE_ROLE_KEY: keys.service_role,
  SUPABASE_JWKS: JSON.stringify(keys.jwks),
};
const lines = Object.entries(environment).map(([name, value]) => `${name}='${value}'\n`);
Deno.writeTextFileSync(`${folder}/keys.json`, JSON.stringify(keys));
Deno.writeTextFileSync(`${folder}/jwks.json`, JSON.stringify(keys.jwks));
Deno.writeTextFileSync(`${folder}/environment`, lines.join(""));
