// What pages take for granted.
declare global {
  const email: string, password: string, name: string, token: string, code: string, nonce: string, accessToken: string;
}
export {};
