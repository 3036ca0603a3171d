package hapitest;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.server.IncomingRequestAddressStrategy;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.interceptor.CorsInterceptor;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import java.net.InetAddress;
import java.util.List;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.Meta;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.web.embedded.tomcat.TomcatServletWebServerFactory;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.web.cors.CorsConfiguration;

/**
 * A FHIR R4 server on the loopback interface whose data lives in memory and is gone when it stops.
 *
 * <p>Nothing is auto-configured: the web server, the FHIR servlet and (in {@link Storage}) the database
 * are all declared here, so a new library on the class path cannot change how the tests behave.
 */
@SpringBootConfiguration(proxyBeanMethods = false)
@Import(Storage.class)
public class TestServer {

  private static final String BASE_PATH = "/fhir";
  private static final int DEFAULT_PORT = 8080;
  private static final int PAGE_SIZE = 20;
  private static final int MAX_PAGE_SIZE = 500;

  public static void main(String[] args) {
    SpringApplication.run(TestServer.class, args);
  }

  /** The port: system property {@code hapi.port}, else environment variable HAPI_PORT, else 8080. */
  private static int port() {
    String fromEnvironment = System.getenv("HAPI_PORT");
    return Integer.getInteger("hapi.port", fromEnvironment == null ? DEFAULT_PORT : Integer.parseInt(fromEnvironment));
  }

  @Bean
  TomcatServletWebServerFactory webServer() {
    TomcatServletWebServerFactory factory = new TomcatServletWebServerFactory(port());
    factory.setAddress(InetAddress.getLoopbackAddress());
    // Clients send "code=http://loinc.org|2777-1" without percent-encoding the bar.
    factory.addConnectorCustomizers(connector -> connector.setProperty("relaxedQueryChars", "|"));
    return factory;
  }

  @Bean
  ServletRegistrationBean<RestfulServer> fhirServlet(
      FhirContext fhirContext,
      ResourceProviderFactory resourceProviders,
      JpaSystemProvider<Bundle, Meta> systemProvider,
      IFhirSystemDao<Bundle, Meta> systemDao,
      DatabaseBackedPagingProvider paging,
      JpaStorageSettings settings,
      ISearchParamRegistry searchParameters,
      IValidationSupport validation) {
    RestfulServer server = new RestfulServer(fhirContext);
    server.registerProviders(resourceProviders.createProviders());
    server.registerProvider(systemProvider);

    paging.setDefaultPageSize(PAGE_SIZE);
    paging.setMaximumPageSize(MAX_PAGE_SIZE);
    server.setPagingProvider(paging);

    JpaCapabilityStatementProvider capabilities =
        new JpaCapabilityStatementProvider(server, systemDao, settings, searchParameters, validation);
    capabilities.setImplementationDescription("In-memory FHIR R4 server for tests");
    server.setServerConformanceProvider(capabilities);

    // Links in answers carry the host and port the client itself used.
    server.setServerAddressStrategy(new IncomingRequestAddressStrategy());
    server.setDefaultResponseEncoding(EncodingEnum.JSON);
    server.registerInterceptor(new CorsInterceptor(anyOrigin()));

    ServletRegistrationBean<RestfulServer> servlet = new ServletRegistrationBean<>(server, BASE_PATH + "/*");
    servlet.setLoadOnStartup(1);
    return servlet;
  }

  private static CorsConfiguration anyOrigin() {
    CorsConfiguration cors = new CorsConfiguration();
    cors.setAllowedOrigins(List.of(CorsConfiguration.ALL));
    cors.setAllowedHeaders(List.of(CorsConfiguration.ALL));
    cors.setAllowedMethods(List.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"));
    cors.setExposedHeaders(List.of("Location", "Content-Location", "ETag", "Last-Modified"));
    return cors;
  }
}
