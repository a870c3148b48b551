package conformancetest

var emailOtpPluginVariants = []*variant{}
