# What `cmake --install` and the Debian packages hold; scripts/package makes these. Three packages: the program with its
# units, the emulator, and the DuckDB library that both load from a folder of ours, because Debian has none.
set(private_libraries "lib/audiencesync")
set(bundled_duckdb OFF)
if(DUCKDB_LIBRARY MATCHES "^${DUCKDB_ROOT}/")
  set(bundled_duckdb ON)
  install(FILES "${DUCKDB_LIBRARY}" DESTINATION ${private_libraries} COMPONENT duckdb)
  set_target_properties(audiencesync audiencesync-emulator PROPERTIES
    INSTALL_RPATH "${CMAKE_INSTALL_PREFIX}/${private_libraries}")
endif()

install(TARGETS audiencesync RUNTIME DESTINATION bin COMPONENT audiencesync)
install(TARGETS audiencesync-emulator RUNTIME DESTINATION bin COMPONENT emulator)

# installed_compressed(FILE DESTINATION COMPONENT [NAME]): as Debian wants manuals and change logs, the same bytes every
# time.
function(installed_compressed file destination component)
  get_filename_component(name "${file}" NAME)
  if(ARGC GREATER 3)
    set(name "${ARGV3}")
  endif()
  set(made "${CMAKE_BINARY_DIR}/packaging/${component}/${name}.gz")
  install(CODE "
    file(MAKE_DIRECTORY \"${CMAKE_BINARY_DIR}/packaging/${component}\")
    execute_process(COMMAND gzip -9nc \"${file}\" OUTPUT_FILE \"${made}\" COMMAND_ERROR_IS_FATAL ANY)"
    COMPONENT ${component})
  install(FILES "${made}" DESTINATION "${destination}" COMPONENT ${component})
endfunction()

set(packaging "${CMAKE_SOURCE_DIR}/systemd/debian")
installed_compressed("${CMAKE_SOURCE_DIR}/docs/man/audiencesync.1" share/man/man1 audiencesync)
installed_compressed("${CMAKE_SOURCE_DIR}/docs/man/audiencesync.yaml.5" share/man/man5 audiencesync)
installed_compressed("${CMAKE_SOURCE_DIR}/docs/man/audiencesync-manifest.5" share/man/man5 audiencesync)
installed_compressed("${CMAKE_SOURCE_DIR}/docs/man/audiencesync-emulator.1" share/man/man1 emulator)

# Names of the packages; the folder of its documents is named like the package.
set(package_of_audiencesync audiencesync)
set(package_of_emulator audiencesync-emulator)
set(package_of_duckdb audiencesync-duckdb)
set(packages audiencesync emulator)
if(bundled_duckdb)
  list(APPEND packages duckdb)
endif()
foreach(component ${packages})
  set(documents "share/doc/${package_of_${component}}")
  installed_compressed("${packaging}/changelog" "${documents}" ${component})
  if(component STREQUAL "duckdb")
    install(FILES "${packaging}/duckdb.copyright" DESTINATION "${documents}" RENAME copyright COMPONENT duckdb)
  else()
    install(FILES "${packaging}/copyright" DESTINATION "${documents}" COMPONENT ${component})
  endif()
  if(EXISTS "${packaging}/${component}.lintian-overrides")
    install(FILES "${packaging}/${component}.lintian-overrides" DESTINATION share/lintian/overrides
            RENAME "${package_of_${component}}" COMPONENT ${component})
  endif()
endforeach()

install(FILES etc/audiencesync.yaml DESTINATION share/doc/audiencesync/examples COMPONENT audiencesync)
install(DIRECTORY etc/manifests DESTINATION share/doc/audiencesync/examples COMPONENT audiencesync)
install(DIRECTORY etc/schemas/ DESTINATION share/audiencesync/schemas COMPONENT audiencesync)
install(FILES etc/completions/audiencesync.bash DESTINATION share/bash-completion/completions RENAME audiencesync
        COMPONENT audiencesync)
install(FILES etc/completions/_audiencesync DESTINATION share/zsh/vendor-completions COMPONENT audiencesync)
install(FILES etc/completions/audiencesync.fish DESTINATION share/fish/vendor_completions.d COMPONENT audiencesync)
install(FILES systemd/audiencesync.service systemd/audiencesync-apply@.service systemd/audiencesync-apply@.timer
        systemd/audiencesync-credentials.path systemd/audiencesync-credentials.service
        DESTINATION /lib/systemd/system COMPONENT audiencesync)
install(FILES systemd/sysusers.conf DESTINATION lib/sysusers.d RENAME audiencesync.conf COMPONENT audiencesync)
install(DIRECTORY DESTINATION /etc/audiencesync/manifests.d COMPONENT audiencesync)
install(DIRECTORY DESTINATION /etc/audiencesync/credentials COMPONENT audiencesync
        DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME audiencesync)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own, the first line of its description
set(CPACK_PACKAGE_CONTACT "The audiencesync engineers <audiencesync@example.org>")
set(CPACK_PACKAGE_DIRECTORY "${CMAKE_BINARY_DIR}/packages")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL ${packages})
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${duckdb_folder}")

set(CPACK_DEBIAN_AUDIENCESYNC_PACKAGE_NAME ${package_of_audiencesync})
set(CPACK_DEBIAN_AUDIENCESYNC_PACKAGE_SECTION utils)
set(CPACK_COMPONENT_AUDIENCESYNC_DESCRIPTION "audiences of Adobe Experience Platform in Customer Journey Analytics
A manifest in git says which audiences analysts should see. This program
compares that with what is there, shows the plan, applies only the
difference, proves the result, and keeps it true on a schedule.")
set(CPACK_DEBIAN_AUDIENCESYNC_PACKAGE_DEPENDS
    "tzdata, ca-certificates, systemd | systemd-standalone-sysusers")
# What checks the signatures of commits and the keys of git hosts.
set(CPACK_DEBIAN_AUDIENCESYNC_PACKAGE_RECOMMENDS "gpgv, openssh-client")
set(CPACK_DEBIAN_AUDIENCESYNC_PACKAGE_CONTROL_EXTRA
    "${packaging}/postinst;${packaging}/prerm;${packaging}/postrm")
set(CPACK_DEBIAN_AUDIENCESYNC_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_EMULATOR_PACKAGE_NAME ${package_of_emulator})
set(CPACK_DEBIAN_EMULATOR_PACKAGE_SECTION utils)
set(CPACK_COMPONENT_EMULATOR_DESCRIPTION "local stand-in of Adobe Experience Platform for audiencesync
Generates people and audiences and answers like the platform and Customer
Journey Analytics do, on loopback: for demonstrations and tests.")

set(CPACK_DEBIAN_DUCKDB_PACKAGE_NAME ${package_of_duckdb})
set(CPACK_DEBIAN_DUCKDB_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_DUCKDB_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENT_DUCKDB_DESCRIPTION "DuckDB library that audiencesync loads
The official library of the DuckDB project, in a private folder: it is for
audiencesync and audiencesync-emulator only.")
if(bundled_duckdb)
  string(APPEND CPACK_DEBIAN_AUDIENCESYNC_PACKAGE_DEPENDS ", ${package_of_duckdb} (= ${PROJECT_VERSION})")
  set(CPACK_DEBIAN_EMULATOR_PACKAGE_DEPENDS "${package_of_duckdb} (= ${PROJECT_VERSION})")
endif()
include(CPack)
