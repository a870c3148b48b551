package conformancetest

var identityPluginVariants = []*variant{}
