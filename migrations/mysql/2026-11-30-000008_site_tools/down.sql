DROP TABLE site_tools;
