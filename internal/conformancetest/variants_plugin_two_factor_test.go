package conformancetest

var twoFactorPluginVariants = []*variant{}
