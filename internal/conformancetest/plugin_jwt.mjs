// The functions that the options of plugins name, with what a case sees of them:
// variants_plugin_jwt_test.go has the same ones for this library.

export function functions(site) {
  return {};
}
