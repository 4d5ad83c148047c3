module it.modules {
    requires dev.greenfield;
    requires org.slf4j;
}
